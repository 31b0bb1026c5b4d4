"""What the real deployment controller is documented to do, through the API alone.

For each Deployment: the ReplicaSet of its template is found or made and numbered (one that is gone
back to gets the next number and keeps the old one in an annotation), replicas move over by the
rolling update's 25 %, and status and conditions say how far it is. A ReplicaSet's pods are ready at
once, except where the image's tag is `broken`: those never are.
"""

import copy
import hashlib
import json
import math
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx

REVISION = "deployment.kubernetes.io/revision"
MOVED = "deployment.kubernetes.io/revision-history"
HASH = "pod-template-hash"
CAUSE = "kubernetes.io/change-cause"
Json = dict[str, Any]


class Controller:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def round(self) -> None:
        for deployment in self._list("deployments"):
            owned = [
                r for r in self._list("replicasets")
                if r["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"]
            ]  # fmt: skip
            for replica_set in owned:
                self._start_pods(replica_set)
            current = next((r for r in owned if template(r) == template(deployment)), None)
            if not deployment["spec"].get("paused"):
                current = self._numbered(deployment, owned, current)
                self._roll(deployment, current, [r for r in owned if r is not current])
            self._report(deployment, current, owned)

    def _numbered(self, deployment: Json, owned: list[Json], current: Json | None) -> Json:
        """The ReplicaSet of the template, with the highest number; the Deployment says it too."""
        others = [number(r) for r in owned if r is not current]
        if current is None:
            current = self._created(deployment, max(others, default=0) + 1)
            owned.append(current)
        elif number(current) < max(others, default=0):
            notes = current["metadata"]["annotations"]
            moved = [n for n in notes.get(MOVED, "").split(",") if n]
            notes |= {REVISION: str(max(others) + 1), MOVED: ",".join([*moved, notes[REVISION]])}
            notes |= {CAUSE: deployment["metadata"].get("annotations", {}).get(CAUSE)}
            self._patch(current, {"metadata": {"annotations": notes}})
        said = deployment["metadata"].get("annotations", {}).get(REVISION)
        if said != str(number(current)):
            self._patch(deployment, {"metadata": {"annotations": {REVISION: str(number(current))}}})
        return current

    def _created(self, deployment: Json, revision: int) -> Json:
        meta = deployment["metadata"]
        pod = copy.deepcopy(template(deployment))
        seed = json.dumps([meta["uid"], pod], sort_keys=True)
        digest = hashlib.sha256(seed.encode()).hexdigest()[:9]
        pod["metadata"]["labels"][HASH] = digest
        notes = {k: v for k, v in meta.get("annotations", {}).items() if k == CAUSE}
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"],
                 "uid": meta["uid"], "controller": True}  # fmt: skip
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": pod["metadata"]["labels"],
                "annotations": {**notes, REVISION: str(revision)},
                "ownerReferences": [owner],
            },
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": pod["metadata"]["labels"]},
                "template": pod,
            },
        }
        answer = self.client.post(self._path("replicasets", meta["namespace"]), json=body)
        answer.raise_for_status()
        made: Json = answer.json()
        return made

    def _roll(self, deployment: Json, current: Json, others: list[Json]) -> None:
        """A quarter more than wanted at most; never fewer ready ones than three quarters."""
        wanted = deployment["spec"]["replicas"]
        total = sum(r["spec"]["replicas"] for r in [current, *others])
        room = max(0, wanted + math.ceil(wanted / 4) - total)
        mine = current["spec"]["replicas"]
        self._resize(current, min(wanted, mine + room))
        spare = sum(ready(r) for r in [current, *others]) - (wanted - wanted // 4)
        for old in sorted(others, key=ready):
            unready = old["spec"]["replicas"] - ready(old)
            take = min(old["spec"]["replicas"], unready + max(0, spare))
            spare -= max(0, take - unready)
            self._resize(old, old["spec"]["replicas"] - take)

    def _resize(self, replica_set: Json, replicas: int) -> None:
        if replica_set["spec"]["replicas"] != replicas:
            self._patch(replica_set, {"spec": {"replicas": replicas}})

    def _start_pods(self, replica_set: Json) -> None:
        image = template(replica_set)["spec"]["containers"][0]["image"]
        count = replica_set["spec"]["replicas"]
        up = 0 if image.endswith(":broken") else count
        self._status(replica_set, {"replicas": count, "readyReplicas": up, "availableReplicas": up})

    def _report(self, deployment: Json, current: Json | None, owned: list[Json]) -> None:
        before = deployment.get("status", {})
        wanted = deployment["spec"]["replicas"]
        total = sum(r.get("status", {}).get("replicas", 0) for r in owned)
        up = sum(ready(r) for r in owned)
        updated = current.get("status", {}).get("replicas", 0) if current else 0
        counts = {"replicas": total, "updatedReplicas": updated, "readyReplicas": up,
                  "availableReplicas": up, "unavailableReplicas": max(0, total - up)}  # fmt: skip
        moved = any(before.get(name) != count for name, count in counts.items())
        done = {total, up, updated} == {wanted}
        self._status(deployment, {
            **counts, "observedGeneration": deployment["metadata"]["generation"],
            "conditions": [
                _condition("Available", "MinimumReplicasAvailable", ok=up >= wanted - wanted // 4),
                self._progress(deployment, moved=moved, done=done),
            ],
        })  # fmt: skip

    def _progress(self, deployment: Json, *, moved: bool, done: bool) -> Json:
        conditions = deployment.get("status", {}).get("conditions", [])
        last = next((c for c in conditions if c["type"] == "Progressing"), None)
        if done:
            fresh = _condition("Progressing", "NewReplicaSetAvailable", ok=True)
        elif moved or last is None or last["reason"] == "NewReplicaSetAvailable":
            return _condition("Progressing", "ReplicaSetUpdated", ok=True)
        else:
            waited = (_now() - datetime.fromisoformat(last["lastUpdateTime"])).total_seconds()
            if waited <= deployment["spec"]["progressDeadlineSeconds"]:
                return last
            fresh = _condition("Progressing", "ProgressDeadlineExceeded", ok=False)
        return last if last and last["reason"] == fresh["reason"] else fresh

    def _status(self, body: Json, status: Json) -> None:
        if {**status} != body.get("status"):
            self._patch(body, {"status": status}, "/status")

    def _patch(self, body: Json, change: Json, part: str = "") -> None:
        kind = "deployments" if body["kind"] == "Deployment" else "replicasets"
        meta = body["metadata"]
        answer = self.client.patch(
            f"{self._path(kind, meta['namespace'])}/{meta['name']}{part}",
            headers={"Content-Type": "application/merge-patch+json"}, json=change,
        )  # fmt: skip
        answer.raise_for_status()
        body.clear()
        body.update(answer.json())

    def _list(self, kind: str) -> list[Json]:
        items: list[Json] = self.client.get(f"/apis/apps/v1/{kind}").json()["items"]
        return items

    def _path(self, kind: str, namespace: str) -> str:
        return f"/apis/apps/v1/namespaces/{namespace}/{kind}"


def template(body: Json) -> Json:
    """The pod template without the hash that the controller adds."""
    found: Json = copy.deepcopy(body["spec"]["template"])
    found["metadata"]["labels"].pop(HASH, None)
    return found


def number(replica_set: Json) -> int:
    return int(replica_set["metadata"]["annotations"][REVISION])


def ready(replica_set: Json) -> int:
    return int(replica_set.get("status", {}).get("readyReplicas", 0))


def _condition(kind: str, reason: str, *, ok: bool) -> Json:
    stamp = _now().isoformat(timespec="milliseconds")
    return {"type": kind, "status": str(ok), "reason": reason, "lastUpdateTime": stamp}


def _now() -> datetime:
    return datetime.now(UTC)


def main(url: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        controller = Controller(client)
        while True:
            try:
                controller.round()
            except httpx.HTTPStatusError as error:  # changed meanwhile: the next round looks again
                print(error.response.text, flush=True)
            time.sleep(0.03)


if __name__ == "__main__":
    main(*sys.argv[1:3])
