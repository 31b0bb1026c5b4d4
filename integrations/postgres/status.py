"""What a server says of itself. What it does not tell is None, never 0."""

from typing import Any

from bot.contract import Connection

from .client import Server, server

MB = 1024 * 1024
_SELF = """
SELECT pg_is_in_recovery() AS replica,
       current_setting('default_transaction_read_only')::bool AS read_only,
       current_setting('server_version') AS version,
       extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS uptime,
       current_setting('max_connections')::int AS most,
       (SELECT CASE WHEN bool_and(backend_type IS NOT NULL)
                    THEN count(*) FILTER (WHERE backend_type = 'client backend') END
          FROM pg_stat_activity) AS used"""
# A time of 0 is only told where not one byte is missing: an idle server shows no replay_lag. Bytes
# are cut off at 0 outside: greatest() would make a 0 of what is unknown.
_STANDBYS = """
SELECT application_name AS name, state, sync_state AS sync, bytes,
       CASE WHEN bytes <= 0 THEN 0 ELSE extract(epoch FROM replay_lag) END::float8 AS seconds
  FROM (SELECT *, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS bytes
          FROM pg_stat_replication) AS s
 WHERE state IS DISTINCT FROM 'backup'
 ORDER BY application_name"""
_OWN = """
SELECT status = 'streaming' AS streaming, bytes,
       extract(epoch FROM now() - last_msg_receipt_time)::float8 AS heard,
       CASE WHEN bytes <= 0 THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8 AS seconds
  FROM (SELECT *, pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn())::bigint AS bytes
          FROM pg_stat_wal_receiver) AS r"""


async def status(connection: Connection) -> dict[str, Any]:
    """Its role, its connections, and how far behind its replicas are, or it itself is."""
    async with server(connection) as asked:
        own = await asked.row(_SELF)
        found = {
            "role": "replica" if own["replica"] else "primary",
            "writable": not own["replica"] and not own["read_only"],
            "version": own["version"],
            "uptime_seconds": round(own["uptime"], 1),
            "connections": own["used"],
            "max_connections": own["most"],
            "connections_used": None if own["used"] is None else own["used"] / own["most"],
        }
        if own["replica"]:
            return {**found, **await _behind(asked)}
        return {**found, **await standbys(asked, connection)}


async def standbys(asked: Server, connection: Connection) -> dict[str, Any]:
    """Each standby that a primary knows; the lag is the worst one's, None if one is not known."""
    ignored = {n.strip() for n in connection.settings.get("ignore_standbys", "").split(",")}
    rows = [row for row in await asked.rows(_STANDBYS) if row["name"] not in ignored]
    seen = [
        {
            "name": row["name"],
            "streaming": None if row["state"] is None else row["state"] == "streaming",
            "sync": None if row["sync"] is None else row["sync"] in ("sync", "quorum"),
            **_lag(row["bytes"], row["seconds"]),
        }
        for row in rows
    ]
    return {
        "standbys": seen,
        "streaming": sum(bool(each["streaming"]) for each in seen),
        **_lag(_worst(seen, "lag_bytes"), _worst(seen, "lag_seconds")),
    }


async def _behind(asked: Server) -> dict[str, Any]:
    """A replica's own lag; without a stream from its primary nobody can tell it."""
    row = await asked.row(_OWN)
    known = row is not None and bool(row["streaming"])
    return {
        "standbys": [],
        "streaming": int(known),
        "heard_seconds": row["heard"] if known else None,
        **(_lag(row["bytes"], row["seconds"]) if known else _lag(None, None)),
    }


def _lag(behind: int | None, seconds: float | None) -> dict[str, Any]:
    return {
        "lag_bytes": None if behind is None else max(0, behind),
        "lag_mb": None if behind is None else round(max(0, behind) / MB, 3),
        "lag_seconds": None if seconds is None else round(max(0.0, seconds), 3),
    }


def _worst(seen: list[dict[str, Any]], what: str) -> Any:  # noqa: ANN401 - a number or None
    values = [each[what] for each in seen]
    return max(values) if values and None not in values else None
