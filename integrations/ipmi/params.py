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


class BmcParams(Frozen):
    """Which host, by its BMC."""

    bmc: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The BMC: `db1` is the target `ipmi/db1` of the catalog."
    )


class LogParams(BmcParams):
    """How much of the event log."""

    log: Annotated[int, Field(ge=1, le=50)] = Field(
        default=10, description="How many of the newest entries."
    )


class ConsoleParams(BmcParams):
    """How long to listen, and how much to keep."""

    seconds: Annotated[float, Field(ge=1, le=60)] = Field(
        default=10.0, description="Seconds to listen; keep the step's timeout 20 s above that."
    )
    lines: Annotated[int, Field(ge=1, le=200)] = Field(
        default=50, description="How many of the last lines are kept."
    )


class PowerParams(BmcParams):
    """On or off."""

    state: State = Field(description="What the host is to be.")
    graceful: bool = Field(
        default=False,
        description="Off by asking the operating system, which a hung host does not hear.",
    )
    patience: Patience = Field(
        default=45.0, description="Seconds to wait for it; keep the step's timeout above that."
    )


class ResetParams(BmcParams):
    """How to restart."""

    how: Literal["forced", "cycle"] = Field(
        default="forced",
        description="`forced` is the reset button, `cycle` takes the power away in between.",
    )


class BootParams(BmcParams):
    """Where the next starts come from."""

    device: Literal["none", "pxe", "disk", "safe", "diag", "cdrom", "bios", "floppy"] = Field(
        description="What to start from; `none` is no override."
    )
    persistent: bool = Field(default=False, description="For every start, not for the next alone.")
    efi: bool = Field(default=False, description="Start by EFI and not by the old BIOS.")
