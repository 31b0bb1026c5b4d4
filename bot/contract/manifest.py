"""What an integration's folder says of it, without its code being imported."""

from typing import Literal

from pydantic import Field

from bot.contract.frozen import Frozen


class Setting(Frozen):
    """A setting of an integration, read from its target's entry in the catalog."""

    name: str
    description: str
    secret: bool = False
    required: bool = False


class Manifest(Frozen):
    """``manifest.yaml``: says what an integration is without importing its code."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")
    title: str
    description: str
    alert_source: str = ""
    actions: dict[str, str] = Field(
        default={}, description="action name → 'module:Class' inside the folder"
    )
    evidence: str = ""
    evidence_about: list[Setting] = Field(
        default=[], description="what `about` of a service's evidence may say; left out: anything"
    )
    notifier: str = ""
    status_page: str = ""
    tickets: str = ""
    tickets_about: list[Setting] = Field(
        default=[], description="what `about` of a tracker of the catalog may say"
    )
    papers: str = ""
    settings: list[Setting] = Field(default=[])
    egress: list[str] = Field(default=[], description="hosts it talks to, for firewall rules")
    docs: str
    tested_against: Literal["real-server", "vendor-spec", "recorded"]
    notes: str = ""
