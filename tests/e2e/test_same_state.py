"""Socket Mode and HTTP are two doors to the same room: the same play leaves the same database."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_slack_story import edge, play, story

__all__ = ["edge"]
pytestmark = pytest.mark.server
# left out is what differs between any two plays: times, who held a lease, how often a card was
# redrawn, and evidence and the line that all alerts have ended, which a play that ends before the
# clock looks does not get
TABLES = {
    "incident": "title, severity, status, services, drill, origin, open_key, commander, declared_by",
    "alert": "source, fingerprint, status, name, labels, annotations, link, state, incident_id",
    "timeline": "incident_id, kind, actor, text, data, link",
    "message": "incident_id, key, kind, payload, author, origin",
    "run": "incident_id, runbook_id, title, text, inputs, origin, state, requester, plan, error",
    "approval": "run_id, person, surface",
    "step_attempt": "run_id, step, phase, attempt, state, action, target, access_path, before, error",
    "outbox": "DISTINCT surface, lane, op, incident_id, state, error",
    # a message's by what it is: its number depends on how many came before, evidence among them
    "binding": "surface, COALESCE((SELECT message.key FROM message"
    " WHERE binding.key = 'message:' || message.id), key)",
    "target_lock": "target, run_id",
    "postmortem": "incident_id, state",
}


def state(database: Path) -> dict[str, list[str]]:
    """The rows of every table, without what differs between any two plays."""
    with sqlite3.connect(database) as opened:
        rows = {
            table: sorted(
                _plain(row)
                for row in opened.execute(f"SELECT {columns} FROM {table}")
                if not re.search("evidence|alerts_ended|'1:ended'", str(row))
            )
            for table, columns in TABLES.items()
        }
    opened.close()
    return rows


def _plain(row: Any) -> str:
    text = json.dumps(row, ensure_ascii=False)
    text = re.sub(r"\b\d{9,}\.\d+", "<moment>", text)
    text = re.sub(r'(from |drawn_from\\": )\d+', "<rows>", text)
    text = re.sub(r"[0-9a-f]{32,}", "<digest>", text)
    text = re.sub(r"[0-9a-f-]{36}\.png|[0-9a-f]{8,31}", "<id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.+Z]+|\d\d:\d\d(:\d\d)?", "<time>", text)
    text = re.sub(r"\d+(\.\d+)? ?(ms|s|min)\b|\d+\.\d+", "<took>", text)
    text = re.sub(r"No path to \S+ is proven: \w+ was never proven", "", text)  # planned so early
    return re.sub(r"from \d+ rows|drawn_from\W+\d+", "<rows>", text)  # evidence is one of them


async def test_socket_and_http_end_in_the_same_state(tmp_path: Path, edge: Any) -> None:
    """Row for row, in every table that the play writes."""
    ended = {}
    for mode in ("socket", "http"):
        edge.set_runtime({"routing.traffic.primary": "", "routing.traffic.standby": ""})
        (tmp_path / mode).mkdir()
        database = tmp_path / mode / "state.db"
        async with story(mode, f"sqlite+aiosqlite:///{database}", tmp_path / mode, edge) as parts:
            await play(*parts, edge)
            await parts[1].said_all()
        ended[mode] = state(database)
    assert ended["socket"]["timeline"]
    for table in TABLES:
        assert ended["socket"][table] == ended["http"][table], table
