"""PostgreSQL, the truth: migrations, named queries, and three handles that are three types.

`Reads` sees public tables, `ClientReads` one client's rows as well, `Batch` writes. Start at `database.py`.
"""
