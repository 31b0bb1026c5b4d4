"""A Kubernetes API server as far as it can be had without a cluster, with a deployment controller.

The API is kmock's emulator with what we rely on besides (see `kubernetes_api`); the controller
speaks to it over HTTP alone (see `kubernetes_controller`). Each is a process of its own, so that
either can be frozen or stopped.
"""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.ask import Reply, answers, ask
from tests.servers.kubernetes_api import LOSE
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn, wait_for

TOKEN = "token-of-the-service-account"
READER = "token-that-may-only-read"
NAMESPACE = "shop"
ROOT = Path(__file__).parents[2]


@dataclass
class Kubernetes:
    port: int
    process: Process
    controller: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    def ask(self, method: str, path: str, data: Any = None, kind: str = "merge-patch") -> Reply:
        headers = self.headers
        if method == "PATCH":
            headers["Content-Type"] = f"application/{kind}+json"
        reply = ask(method, f"{self.url}{path}", data=data, headers=headers)
        assert reply.status < 300, reply.body
        return reply

    def deployment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", _path("deployments", name)).json()
        return found

    def image(self, name: str) -> str:
        """The image that is wanted."""
        image: str = self.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"]
        return image

    def running(self, name: str) -> dict[str, int]:
        """Image → replicas that are ready: what serves, whatever is wanted."""
        items = self.ask("GET", _path("replicasets")).json()["items"]
        mine = [i for i in items if i["metadata"]["ownerReferences"][0]["name"] == name]
        found = {
            i["spec"]["template"]["spec"]["containers"][0]["image"]: i["status"]["readyReplicas"]
            for i in mine
            if i.get("status", {}).get("readyReplicas")
        }
        return dict(sorted(found.items()))

    def begin(self, name: str, images: Sequence[str]) -> None:
        """The Deployment, released once for each image; what there was of it is gone."""
        self.process.thaw()
        self.controller.thaw()
        for kind in ("deployments", "replicasets"):
            for item in self.ask("GET", _path(kind)).json()["items"]:
                self.ask("DELETE", _path(kind, item["metadata"]["name"]))
        self.ask("POST", _path("deployments"), _deployment(name, images[0]))
        self.wait_running(name, images[0])
        for number, image in enumerate(images[1:], start=2):
            self.release(name, image, cause=f"release {number}")

    def release(self, name: str, image: str, *, cause: str = "", wait: bool = True) -> None:
        """Changes the image, as a pipeline does, and waits until it is rolled out."""
        container = {"name": "app", "image": image}
        patch: dict[str, Any] = {"spec": {"template": {"spec": {"containers": [container]}}}}
        patch["metadata"] = {"annotations": {"kubernetes.io/change-cause": cause or None}}
        self.ask("PATCH", _path("deployments", name), patch)
        if wait:
            self.wait_running(name, image)

    def patch(self, name: str, spec: dict[str, Any]) -> None:
        self.ask("PATCH", _path("deployments", name), {"spec": spec})

    def stay_ready(self, name: str, count: int) -> None:
        """So many replicas are ready from now on; `begin` has the controller look again."""
        self.controller.freeze()
        self.ask(
            "PATCH", f"{_path('deployments', name)}/status", {"status": {"readyReplicas": count}}
        )

    def lose_answer(self) -> None:
        """The next JSON patch takes effect, and whoever sent it does not hear of it."""
        self.ask("POST", LOSE)

    def wait_running(self, name: str, image: str) -> None:
        def there() -> bool:
            found = self.deployment(name)
            wanted = found["spec"]["replicas"]
            seen = found.get("status", {}).get("observedGeneration")
            return (
                seen == found["metadata"]["generation"]
                and self.running(name) == {image: wanted}
                and found["status"]["updatedReplicas"] == found["status"]["replicas"] == wanted
            )

        wait_for(there, what=f"{image} on all replicas")


@contextlib.contextmanager
def kubernetes(
    name: str = "checkout", images: Sequence[str] = ("checkout:1", "checkout:2", "checkout:3")
) -> Iterator[Kubernetes]:
    """One Deployment of three replicas, released once for each image, in the namespace `shop`."""
    with scratch("kubernetes") as folder:
        port = free_port()
        url = f"http://{HOST}:{port}"
        env = {"PYTHONPATH": str(ROOT)}
        api = spawn(
            "kubernetes",
            [sys.executable, "-m", "tests.servers.kubernetes_api", str(port), TOKEN, READER],
            folder=folder, env=env, ready=lambda: answers(f"{url}/version", 401),
        )  # fmt: skip
        with running(api):
            controller = spawn(
                "controller",
                [sys.executable, "-m", "tests.servers.kubernetes_controller", url, TOKEN],
                folder=folder, env=env, ready=lambda: True,
            )  # fmt: skip
            with running(controller):
                server = Kubernetes(port, api, controller)
                server.begin(name, images)
                yield server


def _path(kind: str, name: str = "") -> str:
    return f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}" + (f"/{name}" if name else "")


def _deployment(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": pod,
            "progressDeadlineSeconds": 600,
        },
    }
