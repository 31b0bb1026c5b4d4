"""Tables and columns as the server itself names and quotes them: nothing given becomes SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Rejected

from .client import Server
from .params import Condition

_SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ALONE = {"missing": "IS NULL", "present": "IS NOT NULL"}
_FIND = """
SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind,
       c.reltuples::bigint AS about
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass(CASE WHEN $2 = '' THEN quote_ident($1)
                           ELSE quote_ident($1) || '.' || quote_ident($2) END)"""
# -1: the type without its length, which a cast would cut a value to
_COLUMN = """
SELECT quote_ident(attname) AS name, format_type(atttypid, -1) AS type, attnotnull AS filled
  FROM pg_attribute
 WHERE attrelid = $1 AND attname = $2 AND attnum > 0 AND NOT attisdropped"""
_UNIQUE = """
SELECT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
 WHERE i.indrelid = $1 AND a.attname = $2 AND i.indkey[0] = a.attnum AND i.indnkeyatts = 1
   AND i.indisunique AND i.indisvalid AND i.indpred IS NULL)"""


@dataclass(frozen=True)
class Relation:
    """A table: its quoted name, and about how many rows it has, if the server has counted."""

    oid: int
    name: str
    about: int | None


@dataclass(frozen=True)
class Column:
    """A column: its quoted name, its type, and whether it is NOT NULL."""

    name: str
    type: str
    filled: bool


async def relation(server: Server, table: str) -> Relation:
    """Raises `Rejected` for what is no table."""
    first, _, second = table.partition(".")
    found = await server.row(_FIND, first, second)
    if found is None or found["kind"] not in ("r", "p", "m"):
        raise Rejected(f"There is no table {table}.", hint="Upper and lower case are told apart.")
    about = found["about"] if found["about"] > 0 else None
    return Relation(found["oid"], found["name"], about)


async def column(server: Server, table: Relation, name: str) -> Column:
    """Raises `Rejected` for a column that is not there."""
    found = await server.row(_COLUMN, table.oid, name)
    if found is None:
        raise Rejected(f"{table.name} has no column {name}.")
    return Column(found["name"], found["type"], found["filled"])


async def key_of(server: Server, table: Relation, name: str) -> Column:
    """A column by which every row can be told apart. Raises `Rejected` where it cannot."""
    found = await column(server, table, name)
    if not found.filled or not await server.value(_UNIQUE, table.oid, name):
        raise Rejected(
            f"{name} does not tell the rows of {table.name} apart.",
            hint="The key is one column, NOT NULL, with a unique index of its own.",
        )
    return found


async def condition(
    server: Server, table: Relation, where: Sequence[Condition]
) -> tuple[str, list[str]]:
    """The conditions as SQL with placeholders, and the values for these."""
    parts, values = ["true"], []
    for each in where:
        found = await column(server, table, each.column)
        if each.op in _ALONE:
            parts.append(f"{found.name} {_ALONE[each.op]}")
            continue
        values.append(each.text)
        parts.append(f"{found.name} {_SIGNS[each.op]} ${len(values)}::text::{found.type}")
    return " AND ".join(parts), values
