"""Chaos Mesh's experiments in a cluster, as its custom resources tell of them."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_GROUP = "/apis/chaos-mesh.org/v1alpha1"
_INNER = frozenset(
    {"podhttpchaos", "podiochaos", "podnetworkchaos"}
)  # Chaos Mesh's own bookkeeping
_ONCE = frozenset({"pod-kill", "container-kill"})  # done as soon as it is injected
_LIMIT = 200


class Experiments:
    """Of one namespace, or of all: what runs now, and what was injected once a short while ago."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the newest first."""
        kinds = await ask(connection, "Chaos Mesh", _GROUP)
        namespace = question.about.get("namespace")
        where = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        try:
            names = [kind["name"] for kind in kinds["resources"]]
            wanted = [n for n in names if n.endswith("chaos") and n not in _INNER]
            lists = await asyncio.gather(*(
                ask(connection, "Chaos Mesh", f"{_GROUP}{where}/{n}", {"limit": str(_LIMIT)})
                for n in wanted
            ))  # fmt: skip
            items = [
                (n, item) for n, found in zip(wanted, lists, strict=True) for item in found["items"]
            ]
            told = [_finding(n, item, question.changes_since) for n, item in items]
        except (KeyError, TypeError, AttributeError) as error:
            raise shaped("Chaos Mesh", error) from error
        found = sorted((f for f in told if f), key=lambda f: str(f.at), reverse=True)
        title = f"Chaos experiments in {namespace or 'the cluster'}"
        more = any(each["metadata"].get("continue") for each in lists)
        return [Findings(kind="experiments", title=title, items=found, more=more)]


def _finding(kind: str, item: dict[str, Any], since: datetime) -> Finding | None:
    """None for one that is over, is paused, or has not begun."""
    meta, spec, status = item["metadata"], item["spec"], item.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    at, action = instant(meta["creationTimestamp"]), str(spec.get("action", ""))
    if conditions.get("Paused") == "True":
        return None
    if action in _ONCE and conditions.get("AllInjected") == "True":
        state = "was injected, once"
        if at is None or at < since:
            return None
    elif status.get("experiment", {}).get("desiredPhase") == "Run":
        state = "runs" if conditions.get("AllInjected") == "True" else "is being injected"
    elif conditions.get("AllRecovered") == "False":
        state = "is being taken back"
    else:
        return None
    lasts = f", for {spec['duration']}" if spec.get("duration") else ""
    what = f"{item.get('kind') or kind} {meta['namespace']}/{meta['name']}"
    text = f"{what} {state}: {action or 'chaos'} on {_target(spec)}{lasts}"
    return Finding(text=text, at=at, key=f"chaos:{meta['uid']}")


def _target(spec: dict[str, Any]) -> str:
    selector = spec.get("selector") or {}
    labels = [f"{k}={v}" for k, v in (selector.get("labelSelectors") or {}).items()]
    names = [*(selector.get("namespaces") or []), *labels]
    mode = spec.get("mode", "")
    value = f" {spec['value']}" if spec.get("value") else ""
    return f"{' '.join(names) or 'what its selector names'}{f' ({mode}{value})' if mode else ''}"
