"""Which events are alerts, how grave, and which say that another is over. Data, and how to change it."""

from collections.abc import Iterable, Mapping

from bot.errors import BadInput

SEVERITIES = ("critical", "error", "warning", "info", "none")
# Of events of the type Warning that are not named here it is `warning`; named ones count whatever
# their type, as the kubelet says Normal of a node without memory. None is critical: an event is
# about one object.
SEVERITY = {
    "Node/NodeNotReady": "error",
    "Pod/NodeNotReady": "none",  # each pod of the node says it again, and none that it is over
    "NodeHasInsufficientMemory": "error",
    "NodeHasDiskPressure": "error",
    "NodeHasInsufficientPID": "error",
    "FilesystemIsReadOnly": "error",
    "EvictionThresholdMet": "error",
    "FreeDiskSpaceFailed": "error",
    "SystemOOM": "error",
    "DNSConfigForming": "info",
    "InvalidDiskCapacity": "info",
}
# A container has started: so its pod had its node, its volumes and its network, and it its image.
# That says nothing about BackOff, Unhealthy or OOMKilling: it may crash again a moment later.
ENDS = {
    "EnsuredLoadBalancer": ("SyncLoadBalancerFailed",),
    "FileSystemResizeSuccessful": ("FileSystemResizeFailed", "VolumeResizeFailed"),
    "FilesystemIsNotReadOnly": ("FilesystemIsReadOnly",),
    "NodeHasNoDiskPressure": ("NodeHasDiskPressure",),
    "NodeHasSufficientMemory": ("NodeHasInsufficientMemory",),
    "NodeHasSufficientPID": ("NodeHasInsufficientPID",),
    "NodeReady": ("NodeNotReady",),
    "ProvisioningSucceeded": ("ProvisioningFailed",),
    "Scheduled": ("FailedScheduling",),
    "Started": ("Failed", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedMount"),
    "SuccessfulCreate": ("FailedCreate",),
    "SuccessfulRescale": ("FailedRescale",),
}

# Said of a pod as a whole, and ended by what is said of one of its containers.
OF_THE_POD = {"FailedAttachVolume", "FailedCreatePodSandBox", "FailedMount"}


def severity_of(kind: str, reason: str, type_: str, settings: Mapping[str, str]) -> str:
    """A severity; empty where the event is no alert."""
    table = SEVERITY | _severities(settings)
    other = "warning" if type_ == "Warning" else "none"
    found = table.get(f"{kind}/{reason}", table.get(reason, other))
    return "" if found == "none" else found


def ended_by(reason: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """The reasons that this one says are over."""
    return (*ENDS.get(reason, ()), *_ends(settings).get(reason, ()))


def can_end(reason: str, settings: Mapping[str, str]) -> bool:
    """Whether there is an event that says that it is over."""
    tables = (ENDS, _ends(settings))
    return any(reason in ended for table in tables for ended in table.values())


def check(settings: Mapping[str, str]) -> None:
    """Raises `BadInput` whose field is the setting that is wrong."""
    _severities(settings)
    _ends(settings)


def _severities(settings: Mapping[str, str]) -> dict[str, str]:
    table = dict(_pairs("severities", "=", settings))
    for reason, severity in table.items():
        if severity not in SEVERITIES:
            text = f"{reason}: {severity[:40]!r} is not one of {', '.join(SEVERITIES)}"
            raise BadInput(text, field="severities")
    return table


def _ends(settings: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for reason, ended in _pairs("ends", ">", settings):
        table[reason] = (*table.get(reason, ()), ended)
    return table


def _pairs(name: str, sign: str, settings: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for part in filter(str.strip, settings.get(name, "").split(",")):
        left, found, right = (word.strip() for word in part.partition(sign))
        if not (left and found and right):
            text = f"{part.strip()[:100]!r} is not written as Reason{sign}…"
            raise BadInput(text, field=name)
        yield left, right
