"""SQL as prose: `-- name: x`, a line of meaning, the query. `QUERIES["file.x"]` finds it."""

from importlib import resources

import msgspec

# Read on behalf of a client, a query is joined to `me`, one row that names the client; see `_enter`.
ME = "me.client_id"


class Query(msgspec.Struct, frozen=True):
    """`as_client` is empty for a query that reads no client's rows."""

    sql: str
    as_client: str = ""


def _enter(sql: str) -> str:
    """The statement that enters as the client, who is $1, and asks: one round trip, one transaction.

    LATERAL with OFFSET 0 keeps the planner from reading rows before the client has entered. If it ever did, the
    policy would show no rows at all. The token is verified there, too, once for each table.
    """
    return f"""
        WITH me AS MATERIALIZED (SELECT authz.present($1) AS client_id)
        SELECT asked.* FROM me CROSS JOIN LATERAL ({sql} OFFSET 0) AS asked
    """  # noqa: S608 (files of this folder, no input)


def _parse(stem: str, text: str) -> dict[str, Query]:
    queries = {}
    for part in text.split("-- name: ")[1:]:
        name, _, body = part.partition("\n")
        sql = body.strip().rstrip(";")
        queries[f"{stem}.{name.strip()}"] = Query(sql, _enter(sql) if ME in sql else "")
    return queries


def _load() -> dict[str, Query]:
    files = [f for f in resources.files(__name__).iterdir() if f.name.endswith(".sql")]
    return {k: q for f in files for k, q in _parse(f.name.removesuffix(".sql"), f.read_text("utf-8")).items()}


QUERIES = _load()
