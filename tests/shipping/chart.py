"""Renders the chart the way Helm does, and answers questions about what came out."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

REPO = Path(__file__).resolve().parents[2]
CHART = REPO / "helm" / "jackline"
VALUES = Path(__file__).parent / "values"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """One release's manifests and its notes."""

    manifests: list[Manifest]
    notes: str

    def all(self, kind: str) -> list[Manifest]:
        """Every manifest of a kind."""
        return [m for m in self.manifests if m["kind"] == kind]

    def one(self, kind: str) -> Manifest:
        """The only manifest of a kind."""
        (found,) = self.all(kind)
        return found

    @property
    def pod_spec(self) -> Manifest:
        """What the bot's pods run."""
        spec: Manifest = self.one("StatefulSet")["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        """The bot's container."""
        containers: list[Manifest] = self.pod_spec["containers"]
        assert len(containers) == 1
        return containers[0]

    @property
    def env(self) -> dict[str, Manifest]:
        """The container's environment by name."""
        entries = self.container["env"]
        by_name = {entry["name"]: entry for entry in entries}
        assert len(by_name) == len(entries), "an environment variable is set twice"
        return by_name

    def secret_data(self) -> dict[str, str]:
        """All rendered Secrets' keys, decoded."""
        return {
            key: base64.b64decode(value).decode()
            for secret in self.all("Secret")
            for key, value in secret["data"].items()
        }

    def environ(self, foreign: dict[str, str] | None = None) -> dict[str, str]:
        """The environment as the process would see it.

        ``foreign`` is the data of Secrets that the chart refers to and does not render.
        """
        data = self.secret_data() | (foreign or {})
        seen = {}
        for name, entry in self.env.items():
            ref = entry.get("valueFrom", {}).get("secretKeyRef")
            if ref is None:
                seen[name] = entry["value"]
            elif ref["key"] in data or not ref.get("optional"):
                seen[name] = data[ref["key"]]
        return seen


def values_of(name: str) -> Manifest:
    """A values file of these tests."""
    return helm.values_from_yaml((VALUES / f"{name}.yaml").read_text("utf-8"))


def render(values: Manifest | None = None, *, release: str = "inc") -> Rendered:
    """Renders with the real Helm library; raises `helm.HelmError` as `helm install` would."""
    with helm.Chart.load(CHART) as chart:
        files = chart.render(values or {}, name=release, namespace="ops")
    manifests, notes = [], ""
    for path, text in files.items():
        if path.endswith("NOTES.txt"):
            notes = text
        else:
            manifests += [m for m in yaml.load_all(text, Loader=_NoDuplicates) if m]
    return Rendered(manifests, notes)


class _NoDuplicates(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; a template must not have any."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"duplicate key in a rendered manifest: {keys}"
        return super().construct_mapping(node, deep=deep)
