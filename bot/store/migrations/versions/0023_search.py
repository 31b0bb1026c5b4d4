"""Full-text search over incidents' titles, timelines and postmortems, kept by the database itself.

PostgreSQL has GIN indexes over what is there. SQLite has FTS5 indexes without a copy of the text, and
triggers; a row of a timeline is ``incident * 2^32 + seq`` there, a title or paper the incident's number.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LONGEST = 100_000  # characters: a longer document's tsvector would be refused, and its row with it
# No marks, so that ``db-17`` is two words here as it is in FTS5. PL/pgSQL is not inlined, so that the
# planner sees the cost of reading a text anew and takes the index.
_WORDS = f"""
CREATE FUNCTION search_words(value text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $body$
BEGIN
RETURN to_tsvector('pg_catalog.simple', regexp_replace(left(value, {LONGEST}), '[!-/\\:-@\\[-`{{-~]+', ' ', 'g'));
END
$body$
"""
_INDEXES = (  # table → the key of its rows, and the column that is searched
    ("timeline", "{0}.incident_id * 4294967296 + {0}.seq", "text"),
    ("incident", "{0}.id", "title"),
    ("postmortem", "{0}.incident_id", "markdown"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(_WORDS)
        for table, _, column in _INDEXES:
            op.execute(
                f"CREATE INDEX ix_search_{table} ON {table} USING gin (search_words({column}))"
            )
        return
    for table, key, column in _INDEXES:
        op.execute(
            f"CREATE VIRTUAL TABLE search_{table} USING fts5(words, content='', "
            "tokenize='unicode61 remove_diacritics 2', prefix='3')"
        )
        put = (
            f"INSERT INTO search_{table}(rowid, words) VALUES ({key.format('new')}, new.{column});"  # noqa: S608 - names of ours
        )
        take = (  # what it had is taken out by saying what it was
            f"INSERT INTO search_{table}(search_{table}, rowid, words) "  # noqa: S608 - the same
            f"VALUES ('delete', {key.format('old')}, old.{column});"
        )
        for what, when, do in (
            ("put", "INSERT", put),
            ("take", "DELETE", take),
            ("change", f"UPDATE OF {column}", f"{take} {put}"),
        ):
            op.execute(
                f"CREATE TRIGGER search_{table}_{what} AFTER {when} ON {table} BEGIN {do} END"
            )
        here = key.format(table)
        op.execute(f"INSERT INTO search_{table}(rowid, words) SELECT {here}, {column} FROM {table}")  # noqa: S608 - the same


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table, _, _ in _INDEXES:
        if postgresql:
            op.execute(f"DROP INDEX ix_search_{table}")
            continue
        for what in ("put", "take", "change"):
            op.execute(f"DROP TRIGGER search_{table}_{what}")
        op.execute(f"DROP TABLE search_{table}")
    if postgresql:
        op.execute("DROP FUNCTION search_words(text)")
