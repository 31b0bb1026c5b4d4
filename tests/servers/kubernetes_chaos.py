"""Custom resources of chaos tools, as far as we rely on their published definitions.

Written after the CustomResourceDefinitions of Chaos Mesh (v1alpha1, 2.x) and LitmusChaos (v1alpha1): which
fields there are, which of them must be, and which words they take.
"""

from typing import Any

import jsonschema

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
SELECTOR = {
    "type": "object",
    "properties": {"namespaces": TEXTS, "labelSelectors": {"additionalProperties": TEXT}},
}
MODE = {"enum": ["one", "all", "fixed", "fixed-percent", "random-max-percent"]}
RECORD = {
    "type": "object",
    "required": ["id", "injectedCount", "phase", "recoveredCount", "selectorKey"],
}
CONDITION = {
    "type": "object",
    "required": ["status", "type"],
    "properties": {
        "status": TEXT,
        "type": {"enum": ["Selected", "AllInjected", "AllRecovered", "Paused"]},
    },
}
MESH_STATUS = {
    "type": "object",
    "required": ["experiment"],
    "properties": {
        "conditions": {"type": "array", "items": CONDITION},
        "experiment": {
            "type": "object",
            "properties": {
                "desiredPhase": {"enum": ["Run", "Stop"]},
                "containerRecords": {"type": "array", "items": RECORD},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def _mesh(*actions: str) -> dict[str, Any]:
    required = ["mode", "selector", *(["action"] if actions else [])]
    known = {"mode": MODE, "selector": SELECTOR, "duration": TEXT, "value": TEXT}
    return {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "spec": {
                "type": "object",
                "required": required,
                "properties": known | ({"action": {"enum": list(actions)}} if actions else {}),
            },
            "status": MESH_STATUS,
        },
    }


ENGINE = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "engineState": {"enum": ["active", "stop"]},
                "appinfo": {
                    "type": "object",
                    "properties": {
                        "appns": TEXT, "applabel": TEXT,
                        "appkind": {"enum": ["", "deployment", "statefulset", "daemonset", "deploymentconfig", "rollout"]},
                    },
                    "additionalProperties": False,
                },
                "experiments": {"type": "array", "items": {"type": "object", "properties": {"name": TEXT}}},
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "engineStatus": {"enum": ["initialized", "completed", "stopped"]},
                "experiments": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": TEXT, "runner": TEXT, "experimentPod": TEXT, "verdict": TEXT,
                            "lastUpdateTime": TEXT,
                            "status": {"enum": ["Running", "Completed", "Waiting for Job Creation", "Skipped", "Forcefully Aborted", "ChaosExperiment Not Found"]},
                        },
                        "additionalProperties": False,
                    },
                },
            },
        },
    },
}  # fmt: skip
KINDS = {
    "PodChaos": _mesh("pod-kill", "pod-failure", "container-kill"),
    "NetworkChaos": _mesh(
        "netem", "delay", "loss", "duplicate", "corrupt", "partition", "bandwidth"
    ),
    "StressChaos": _mesh(),
    "ChaosEngine": ENGINE,
}
RESOURCES = (
    "chaos-mesh.org/v1alpha1/podchaos", "chaos-mesh.org/v1alpha1/networkchaos",
    "chaos-mesh.org/v1alpha1/stresschaos", "chaos-mesh.org/v1alpha1/podnetworkchaos",
    "chaos-mesh.org/v1alpha1/schedules", "litmuschaos.io/v1alpha1/chaosengines",
)  # fmt: skip


def validate(item: dict[str, Any]) -> None:
    """Raises `jsonschema.ValidationError`."""
    jsonschema.validate(item, KINDS[item["kind"]])
