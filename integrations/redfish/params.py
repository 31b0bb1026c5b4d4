"""What the verbs on a BMC are told."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from bot.contract import Frozen

# YAML reads a bare `on` or `off` as yes or no.
State = Annotated[
    Literal["on", "off"],
    BeforeValidator(lambda v: ("on" if v else "off") if isinstance(v, bool) else v),
]
Patience = Annotated[float, Field(gt=0, le=900)]


class SystemParams(Frozen):
    """Which host, by its BMC."""

    bmc: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The BMC: `db1` is the target `redfish/db1` of the catalog."
    )
    system: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] | None = Field(
        default=None, description="The system's id, where the BMC has several."
    )


class LookParams(SystemParams):
    """What to look at."""

    log: Annotated[int, Field(ge=0, le=50)] = Field(
        default=10, description="How many of the newest entries of the event log."
    )


class PowerParams(SystemParams):
    """On or off."""

    state: State = Field(description="What the host is to be.")
    graceful: bool = Field(
        default=False,
        description="Off by asking the operating system, which a hung host does not hear.",
    )
    patience: Patience = Field(
        default=45.0, description="Seconds to wait for it; keep the step's timeout above that."
    )


class ResetParams(SystemParams):
    """How to restart."""

    how: Literal["forced", "graceful", "cycle"] = Field(
        default="forced",
        description="`forced` is the reset button, `graceful` asks the operating system, "
        "`cycle` takes the power away in between.",
    )
    last_reset: Annotated[str, Field(max_length=40, pattern=r"^[0-9TZ:.+-]*$")] = Field(
        default="",
        description="The `last_reset` that an earlier step read: by it one can tell, should the "
        "answer get lost, whether the host was reset since.",
    )
    patience: Patience = Field(
        default=30.0, description="Seconds to watch for it; keep the step's timeout above that."
    )


class BootParams(SystemParams):
    """Where the next starts come from."""

    device: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,31}$")] = Field(
        description="In Redfish's words, such as `Pxe`, `Hdd`, `Cd`, `Usb`; `None` is no override."
    )
    enabled: Literal["Once", "Continuous", "Disabled"] = Field(
        default="Once", description="For the next start alone, for every one, or not at all."
    )
