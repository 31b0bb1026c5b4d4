"""The way in for what senders send, whatever it came by: proven, read, on disk, then acknowledged."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TypeGuard

from msgspec import structs

from bot.alerts import Heartbeats, Intake
from bot.catalog import Catalog, Source
from bot.contract import Alert, AlertSource, AskingSource, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.registry import Registry
from bot.settings import Settings
from bot.web.metrics import Metrics
from bot.web.vendors import Vendors


class Reception:
    """Everything between a request and its acknowledgement."""

    def __init__(
        self, settings: Settings, registry: Registry, catalog: Callable[[], Catalog],
        intake: Intake, heartbeats: Heartbeats, vendors: Vendors, metrics: Metrics,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._registry = registry
        self._catalog = catalog
        self._intake = intake
        self._heartbeats = heartbeats
        self._vendors = vendors
        self._metrics = metrics

    def reader(self, name: str) -> tuple[AlertSource, Source]:
        """Who reads what the sender of that name sends. Raises `NotFound`."""
        return self._registry.source(name, self._catalog())

    def refused(self, name: str, reason: str) -> None:
        """Counts what is answered with an error."""
        self._metrics.refused.labels(name, reason).inc()

    def require_proven(self, name: str, request: RawRequest) -> None:
        """For a door that knows the secret before the rest. Raises `NotFound` or `AuthFailed`."""
        source, entry = self.reader(name)
        try:
            secrets = live_secrets(self._settings, entry.name)
            source.authenticate(replace(request, settings=entry.settings), secrets)
        except AuthFailed:
            self.refused(name, "unauthenticated")
            raise

    async def take(self, name: str, request: RawRequest) -> int:
        """How many alerts were in it; all are stored then.

        Raises `AuthFailed`, `BadInput` that names the field, `NotFound`, or `Unavailable` when
        the sender is to come again.
        """
        source, entry = self.reader(name)
        raw = replace(request, settings=entry.settings) if entry.settings else request
        try:
            raw = await self._proven(source, entry, raw)
            alerts = source.parse(raw)
        except AuthFailed:
            self.refused(name, "unauthenticated")
            raise
        except BadInput:
            self.refused(name, "malformed")
            raise
        rest = await self._heartbeats.strain([_sent_by(name, alert) for alert in alerts])
        await self._intake.accept(rest)
        self._metrics.accepted.labels(name).inc(len(rest))
        if _asks(source) and (form := source.asks(raw)):
            await self._vendors.ask(form, entry)
        return len(alerts)

    async def _proven(self, source: AlertSource, entry: Source, raw: RawRequest) -> RawRequest:
        """The request with what its proof needs."""
        secrets = live_secrets(self._settings, entry.name)
        if not _asks(source) or not (url := source.needs(raw, secrets)):
            source.authenticate(raw, secrets)
            return raw
        document = await self._vendors.document(url, entry)
        raw = replace(raw, documents={url: document})
        source.authenticate(raw, secrets)
        await self._vendors.keep(url, document)
        return raw


def _asks(source: AlertSource) -> TypeGuard[AskingSource]:
    return _is_asking(type(source))


@cache
def _is_asking(kind: type) -> bool:
    """Remembered: to look takes longer than to read an alert."""
    return issubclass(kind, AskingSource)


def live_secrets(settings: Settings, source: str) -> list[str]:
    """The live secrets of a source. Raises `AuthFailed` if there are none: deny by default."""
    configured = settings.webhooks.get(source)
    given = [s.get_secret_value() for s in configured.secrets] if configured else []
    live = [secret for secret in given if secret]
    if not live:
        variable = f"JACKLINE_WEBHOOKS__{source.upper()}__SECRETS"
        raise AuthFailed(f"No secret is set for {source}.", hint=f"Set {variable}.")
    return live


def _sent_by(name: str, alert: Alert) -> Alert:
    """Two senders of one kind are told apart by the names that the catalog gives them."""
    return alert if alert.source == name else structs.replace(alert, source=name)
