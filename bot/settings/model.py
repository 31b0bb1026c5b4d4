"""Everything that can be set: its fields, their defaults, and what is wrong with a value by itself."""

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "JACKLINE_"
_WORKSPACE, _CHANNEL = re.compile(r"[TE][A-Z0-9]{2,}"), re.compile(r"[CG][A-Z0-9]{2,}")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def _listenable(value: str) -> str:
    found = _HOST_AND_PORT.fullmatch(value)
    if not found or int(found[2]) > 65535:  # noqa: PLR2004 - the largest TCP port
        raise ValueError("must be host:port")
    return value


def host_and_port(listen: str) -> tuple[str, int]:
    """An address to listen on as (host, port)."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


Mark = Literal["timeline", "acknowledge", "task"]
REACTIONS: dict[str, Mark] = {
    "pushpin": "timeline", "round_pushpin": "timeline", "eyes": "acknowledge",
    "ticket": "task", "admission_tickets": "task",
}  # fmt: skip


class Slack(BaseModel, extra="forbid"):
    """How to reach Slack. Without a bot token Jackline runs with the console alone."""

    bot_token: SecretStr | None = Field(
        default=None, description="The app's bot token.", examples=["xoxb-…"]
    )
    app_token: SecretStr | None = Field(
        default=None,
        description="App-level token for Socket Mode (scope `connections:write`).",
        examples=["xapp-…"],
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        description="Verifies Slack's HTTP requests; needed when `mode` is `http`.",
        examples=["8f742231b10e…"],
    )
    mode: Literal["socket", "http"] = Field(
        default="socket",
        description="How Slack reaches Jackline: `socket` needs no public address.",
        examples=["http"],
    )
    api_url: str = Field(
        default="https://slack.com/api/",
        description="Slack's Web API; another address only for tests and proxies.",
        examples=["http://127.0.0.1:8099/api/"],
        pattern=r"^https?://.+/$",
    )
    digest_channel: str = Field(
        default="",
        description="Id of the channel that gets one line for each new incident, and the questions "
        "of rules with `declare: ask`.",
        examples=["C0123456789"],
        pattern=r"^([CG][A-Z0-9]{2,})?$",
    )
    digest_channels: dict[str, str] = Field(
        default={},
        description="JSON: the same for workspaces that Jackline was installed in by its own page, "
        "by the workspace's id.",
        examples=['{"T0123456789": "C0123456789"}'],
    )
    client_id: str = Field(
        default="",
        description="The app's client id: with it and `client_secret` Jackline can be installed in "
        "further workspaces, at `/slack/install` of the console.",
        examples=["1234567890.1234567890"],
    )
    client_secret: SecretStr | None = Field(
        default=None, description="The app's client secret.", examples=["9f8e7d6c5b4a…"]
    )
    archive_after_days: float = Field(
        default=7, ge=0, le=3650,
        description="Days after an incident is closed or cancelled until its channel is archived; "
        "0: never.",
        examples=["30"],
    )  # fmt: skip
    reactions: dict[str, Mark] = Field(
        default=REACTIONS,
        description="JSON: what a reaction in an incident's channel does, by the emoji's name: "
        "`timeline` puts the message on the timeline, `acknowledge` says that you have seen it, "
        "`task` makes a task of the message.",
        examples=['{"pushpin": "timeline", "eyes": "acknowledge"}'],
    )

    @field_validator("reactions", "digest_channels", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:  # noqa: ANN401 - as it was given
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise ValueError("is not JSON") from None

    @field_validator("digest_channels")
    @classmethod
    def _ids(cls, value: dict[str, str]) -> dict[str, str]:
        for workspace, channel in value.items():
            if not (_WORKSPACE.fullmatch(workspace) and _CHANNEL.fullmatch(channel)):
                raise ValueError("must have ids of workspaces, and of a channel in each")
        return value

    @property
    def enabled(self) -> bool:
        """Whether a Slack workspace is connected."""
        return self.bot_token is not None

    @property
    def installable(self) -> bool:
        """Whether it can be installed in further workspaces."""
        return bool(self.client_id)


class Webhook(BaseModel, extra="forbid"):
    """Credentials of one alert source."""

    secrets: list[SecretStr] = Field(
        default=[],
        description="JSON list of live secrets (two while rotating) that the source may use.",
        examples=['["s3cret-new", "s3cret-old"]'],
    )


class Console(BaseModel, extra="forbid"):
    """The web page people use when Slack is down."""

    session_key: SecretStr | None = Field(
        default=None,
        description="Signs sign-in cookies and links; made and kept in `DATA_DIR` if not given.",
        examples=["32 random bytes, hex"],
    )
    public_url: str = Field(
        default="",
        description="The console's address as people see it, for links in Slack.",
        examples=["https://jackline.example.com"],
        pattern=r"^(https?://\S+)?$",
    )


class Access(BaseModel, extra="forbid"):
    """How access paths are proven before they are needed."""

    deadman_url: str = Field(
        default="",
        description="Address outside that is asked once a minute while Jackline does its work, and "
        "raises the alarm when that stops: the dead man's switch of Jackline itself.",
        examples=["https://hc-ping.com/your-uuid"],
        pattern=r"^(https?://\S+)?$",
    )

    probe_every: float = Field(
        default=600,
        ge=5,
        le=86_400,
        description="Seconds between two probes of one path.",
        examples=["300"],
    )
    proven_days: float = Field(
        default=7,
        gt=0,
        le=365,
        description="Days after which a path is no longer counted on.",
        examples=["3"],
    )
    longest_outage_hours: float = Field(
        default=72, gt=0, le=8760,
        description="The longest outage that is planned for: a credential that ends in less "
        "raises an alert.", examples=["48"],
    )  # fmt: skip


class MailIn(BaseModel, extra="forbid"):
    """Alerts by e-mail: Jackline's own SMTP listener, for senders that can do nothing else."""

    listen: str = Field(
        default="",
        description="Host and port where mail is taken; empty means that none is.",
        examples=["0.0.0.0:2525"],
    )
    certificate: str = Field(
        default="",
        description="PEM file with the certificate for STARTTLS, which is then demanded; read "
        "again when it changes.",
        examples=["/etc/jackline/mail/tls.crt"],
    )
    key: str = Field(
        default="",
        description="PEM file with the key; empty if it stands in the certificate's.",
        examples=["/etc/jackline/mail/tls.key"],
    )

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return _listenable(value) if value else value


class Bag(BaseModel, extra="forbid"):
    """The go-bag."""

    max_age_days: float = Field(
        default=30, gt=0, le=3650,
        description="Days after which the newest go-bag is too old, and so is the last drill of "
        "one: an alert says so.",
        examples=["14"],
    )  # fmt: skip


class Settings(BaseSettings):
    """Everything `jackline serve` can be told."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True
    )

    database_url: str = Field(
        default="",
        repr=False,  # it may hold a password
        description="SQLAlchemy address of the database; empty means SQLite in `DATA_DIR`.",
        examples=["postgresql+asyncpg://jackline:pw@db/jackline"],
    )
    http_listen: str = Field(
        default="127.0.0.1:8080",
        description="Host and port of webhooks, console, API, health and metrics.",
        examples=["0.0.0.0:8080"],
    )
    runbooks_dir: Path = Field(
        default=Path("runbooks"),
        description="Folder with the runbooks (`*.md`) and `catalog/*.yaml`.",
        examples=["/etc/jackline/runbooks"],
    )
    data_dir: Path = Field(
        default=Path("data"),
        description="Folder for what Jackline writes: SQLite, keys, pictures, postmortems.",
        examples=["/var/lib/jackline"],
    )
    audit_key: SecretStr | None = Field(
        default=None,
        description="Key of the timeline's seal; made and kept in `DATA_DIR` if not given. "
        "Replicas on several machines must share one.",
        examples=["32 random bytes, hex"],
    )
    age_identity: str = Field(
        default="",
        description="File with the age identity that opens secrets given as `age:PATH`.",
        examples=["/etc/jackline/age.key"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged.", examples=["debug"]
    )
    slack: Slack = Slack()
    webhooks: dict[str, Webhook] = {}
    console: Console = Console()
    mail: MailIn = MailIn()
    access: Access = Access()
    bag: Bag = Bag()

    @field_validator("http_listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return _listenable(value)

    @field_validator("database_url")
    @classmethod
    def _known_driver(cls, value: str) -> str:
        if value.startswith(("postgres://", "postgresql://")):
            value = "postgresql+asyncpg://" + value.split("://", 1)[1]
        if not value:
            return value
        if not value.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("must be a sqlite+aiosqlite or postgresql+asyncpg address")
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            # Not the library's own words: they hold the address, and so the password.
            raise ValueError("is not an address: look at the port and at special signs") from None
        if url.drivername.startswith("sqlite") and url.database in (None, "", ":memory:"):
            raise ValueError("must name a file: what is in memory is lost at the end")
        return value

    @property
    def listen(self) -> tuple[str, int]:
        """``http_listen`` as (host, port)."""
        return host_and_port(self.http_listen)

    @property
    def store_url(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute()}/jackline.db"
