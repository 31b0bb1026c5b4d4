"""What the verbs on an Unleash are told: names are checked before they enter an address."""

from typing import Annotated

from pydantic import Field

from bot.contract import Frozen

# Unleash's own alphabet for names, less those that begin like an option or climb out of a path.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.~-]{0,99}$")]


class FlagParams(Frozen):
    """Which flag, and where."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The Unleash: `main` is the target `unleash/main` of the catalog."
    )
    project: _Name = Field(default="default", description="The flag's project.")
    environment: _Name = Field(description="The environment, such as `production`.")
    flag: _Name = Field(description="The flag's name.")


class SetFlagParams(FlagParams):
    """On or off."""

    enabled: bool = Field(description="Whether the flag is to be on in the environment.")
