"""LitmusChaos' engines in a cluster, as its custom resources tell of them."""

from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_GROUP = "/apis/litmuschaos.io/v1alpha1"
_LIMIT = 200


class Engines:
    """Of one namespace, or of all: those that run experiments now."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the newest first."""
        namespace = question.about.get("namespace")
        where = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        path = f"{_GROUP}{where}/chaosengines"
        answer = await ask(connection, "LitmusChaos", path, {"limit": str(_LIMIT)})
        try:
            told = [_finding(item) for item in answer["items"]]
            more = bool(answer["metadata"].get("continue"))
        except (KeyError, TypeError, AttributeError) as error:
            raise shaped("LitmusChaos", error) from error
        found = sorted((f for f in told if f), key=lambda f: str(f.at), reverse=True)
        title = f"Chaos experiments in {namespace or 'the cluster'}"
        return [Findings(kind="experiments", title=title, items=found, more=more)]


def _finding(item: dict[str, Any]) -> Finding | None:
    """None for an engine that has ended or was stopped."""
    meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    if status.get("engineStatus") != "initialized":
        return None
    target = ", ".join(_targets(spec))
    runs = [
        f"{each['name']} ({each['status']})"
        for each in status.get("experiments") or []
        if each.get("status") != "Completed"
    ]
    names = runs or [str(each["name"]) for each in spec.get("experiments", [])]
    stopping = ", being stopped" if spec.get("engineState") == "stop" else ""
    text = (
        f"ChaosEngine {meta['namespace']}/{meta['name']} runs{stopping}: "
        f"{', '.join(names) or 'no experiment yet'} on {target or 'what its experiments name'}"
    )
    at = instant(meta["creationTimestamp"])
    return Finding(text=text, at=at, key=f"chaos:{meta['uid']}")


def _targets(spec: dict[str, Any]) -> list[str]:
    """What an engine is aimed at: by ``appinfo``, or by the newer ``selectors``."""
    selectors = spec.get("selectors") or {}
    named = [spec.get("appinfo") or {}, *selectors.get("workloads", []), *selectors.get("pods", [])]
    words = ("appns", "appkind", "applabel", "namespace", "kind", "labels", "names")
    texts = (" ".join(str(each[key]) for key in words if each.get(key)) for each in named)
    return [text for text in texts if text]
