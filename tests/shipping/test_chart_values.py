"""The Helm chart's values: what is refused, and that each is documented and in the schema."""

import json
import re
from typing import Any

import helm_python as helm
import pytest
import yaml

from tests.shipping.chart import CHART, render, values_of

# ── what is refused ──────────────────────────────────────────────────────────────────────────

KEYS = {"auditKey": "a" * 32, "consoleSessionKey": "s" * 32}
PG = {"url": "postgresql://u:p@db/x"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 2}, "more than one replica needs PostgreSQL"),
        ({"replicas": 2, "database": PG}, "must share secrets.auditKey"),
        (
            {
                "replicas": 2,
                "database": PG,
                "secrets": KEYS,
                "persistence": {"existingClaim": "one"},
            },
            "one claim cannot serve several replicas",
        ),
        ({"database": {"url": "mysql://db"}}, r"must start with postgresql\+asyncpg://"),
        ({"database": PG | {"existingSecret": {"name": "x"}}}, "not both"),
        ({"secrets": {"existingSecret": "x", **KEYS}}, "one or the other"),
        ({"secrets": {"slack": {"botToken": "xoxp-1"}}}, "bot token starts with xoxb-"),
        ({"secrets": {"slack": {"appToken": "xoxb-1"}}}, "app-level token starts with xapp-"),
        ({"secrets": {"slack": {"botToken": "xoxb-1"}}}, "Socket Mode needs an app-level token"),
        (
            {"slack": {"mode": "http"}, "secrets": {"slack": {"botToken": "xoxb-1"}}},
            "HTTP mode needs the signing secret",
        ),
        ({"secrets": {"webhooks": {"alertmanager": ["short"]}}}, "at least 16 characters"),
        ({"secrets": {"auditKey": "short"}}, "secrets.auditKey: needs at least 32"),
        ({"runbooks": {"files": {"a.md": ""}, "existingClaim": "x"}}, "set one of files"),
        ({"runbooks": {"path": "x"}}, "only has a meaning with runbooks.existingClaim"),
        ({"ingress": {"enabled": True}}, "name at least one host"),
        ({"replicas": "2"}, "at '/replicas': got string, want integer"),
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"secrets": {"webhooks": {"alertmanager": "x" * 16}}}, "got string, want array"),
        ({"secrets": {"webhooks": {"alert-manager": ["x" * 16]}}}, "invalid propertyName"),
        ({"runbooks": {"files": {"../escape.md": ""}}}, "invalid propertyName"),
        ({"slack": {"mode": "carrier-pigeon"}}, "at '/slack/mode'"),
        ({"slack": {"digestChannel": "#incidents"}}, "at '/slack/digestChannel'"),
        ({"slack": {"apiUrl": "https://slack.test/api"}}, "at '/slack/apiUrl'"),
        ({"securityContext": {"readOnlyRootFilesystem": False}}, "value must be true"),
        ({"securityContext": {"allowPrivilegeEscalation": True}}, "value must be false"),
        ({"securityContext": {"capabilities": {"drop": []}}}, "/securityContext/capabilities/drop"),
        ({"podSecurityContext": {"runAsUser": 0}}, "at '/podSecurityContext/runAsUser'"),
        ({"podLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName"),
        ({"persistence": {"size": "lots"}}, "at '/persistence/size'"),
    ],
)
def test_bad_values_are_refused(values: dict[str, Any], message: str) -> None:
    """Each mistake stops the install with an error that names the value to change."""
    with pytest.raises((helm.HelmRenderError, helm.HelmValuesError), match=message):
        render(values)


# ── the chart's own documents ────────────────────────────────────────────────────────────────


def _leaves(value: object, path: str = "") -> list[str]:
    """Dotted paths of everything that has a default."""
    if isinstance(value, dict) and value:
        return [leaf for key, below in value.items() for leaf in _leaves(below, f"{path}.{key}")]
    return [path.lstrip(".")]


def test_every_value_is_documented() -> None:
    """A value missing from the chart's README fails; a group may stand for its members."""
    readme = (CHART / "README.md").read_text()
    documented = set(re.findall(r"`([A-Za-z.]+)`", readme))
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    undocumented = [
        leaf
        for leaf in _leaves(values)
        if not any(leaf == name or leaf.startswith(f"{name}.") for name in documented)
    ]
    assert undocumented == []


def test_the_schema_knows_exactly_the_values() -> None:
    """No value without a type, and no type for a value that has gone."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) - {"global"} == set(values)
    for key, part in schema["properties"].items():
        if isinstance(values.get(key), dict) and part.get("additionalProperties") is False:
            assert set(values[key]) <= set(part["properties"])


def test_readme_names_every_key_of_an_existing_secret() -> None:
    """Who brings a Secret must be able to read which keys it needs."""
    readme = (CHART / "README.md").read_text()
    env = render(values_of("existing")).env.values()
    refs = [e["valueFrom"]["secretKeyRef"]["key"] for e in env if "valueFrom" in e]
    generic = {re.sub(r"webhook-\w+-secrets", "webhook-<source>-secrets", r) for r in refs}
    assert [key for key in generic - {"uri"} if f"`{key}`" not in readme] == []
