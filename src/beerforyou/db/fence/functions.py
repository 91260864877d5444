"""The functions that SQL written by a model may call: what an analysis needs, and nothing that waits, writes, reaches
outside, makes a large value of a small one, or cannot be stopped. The database grants these alone, and the gate lets these alone through.
"""

FUNCTIONS = frozenset({
    # aggregates and windows
    "count", "sum", "avg", "min", "max", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop",
    "bool_and", "bool_or", "every", "any_value", "percentile_cont", "percentile_disc", "mode", "corr",
    "regr_slope", "regr_intercept", "regr_r2",
    "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value",
    "nth_value",
    # numbers
    "abs", "ceil", "ceiling", "floor", "round", "trunc", "sign", "mod", "div", "sqrt", "width_bucket",
    "ln", "log", "exp", "power",  # in 64 bits alone: fence.sql, and taken.py
    # text: nothing that makes a long text of short ones, since a search in a long one cannot be interrupted
    "lower", "upper", "initcap", "length", "char_length", "substr", "substring", "left", "right", "btrim", "ltrim", "rtrim",
    "starts_with", "like", "notlike", "position", "strpos",
    # days
    "date_trunc", "date_part", "extract", "age", "now", "transaction_timestamp", "statement_timestamp", "to_char", "to_date",
    "make_date", "make_interval", "isfinite",
    "timezone",  # of a number of hours, not of a name
    # casts that are written as functions
    "date", "int4", "int8", "numeric", "text", "float8", "bool",
})  # fmt: skip
