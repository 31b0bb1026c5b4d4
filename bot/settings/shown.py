"""The settings as people see them: all of them for the reference, those in force without secrets."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from sqlalchemy.engine import make_url

from bot.settings.model import PREFIX, Settings, Webhook

# Without being a `SecretStr`, since they are often empty: who has the address can act by it.
_SECRET = (f"{PREFIX}ACCESS__DEADMAN_URL",)


@dataclass(frozen=True)
class Shown:
    """A setting for people who may see all but secrets: of those, ``value`` says set or not set."""

    name: str
    value: str
    source: Literal["the environment", "the default"]
    what: str
    secret: bool


def shown(settings: Settings, environ: Mapping[str, str] | None = None) -> list[Shown]:
    """Every setting as it is in force, in the reference's order; each webhook source by its name."""
    env = os.environ if environ is None else environ
    given = {name.upper() for name, value in env.items() if value.strip()}
    rows = []
    for name, what, _, _ in reference():
        names = [name]
        if "<SOURCE>" in name:
            names = [name.replace("<SOURCE>", source.upper()) for source in settings.webhooks]
        for each in names:
            value, secret = _value(settings, each)
            rows.append(
                Shown(
                    each, value, "the environment" if each in given else "the default", what, secret
                )
            )
    return rows


def _value(settings: Settings, name: str) -> tuple[str, bool]:
    """What may be shown of it, and whether it is a secret."""
    found: Any = settings
    secret = name in _SECRET
    for part in name.removeprefix(PREFIX).lower().split("__"):
        if isinstance(found, dict):
            found = found[part]
            continue
        secret |= "SecretStr" in str(type(found).model_fields[part].annotation)
        found = getattr(found, part)
    if secret:
        count = f"{len(found)} set" if isinstance(found, list) and found else "set"
        return (count if found else "not set"), True
    if name == f"{PREFIX}DATABASE_URL" and found:
        url = make_url(str(found))
        where = f" on {url.host}:{url.port}" if url.port else f" on {url.host}" if url.host else ""
        return (
            f"{url.get_backend_name()}{where}, {url.database}",
            False,
        )  # not the user, not a query
    return ("" if found is None else str(found)), False


def secret_values(settings: Settings) -> list[str]:
    """Every credential among them, for whoever must keep them out of what leaves."""

    def walk(value: Any) -> Iterator[str]:  # noqa: ANN401 - settings of any shape
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            for name in type(value).model_fields:
                yield from walk(getattr(value, name))
        elif isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                yield from walk(each)

    password = make_url(settings.database_url).password if settings.database_url else None
    return [*walk(settings), *([str(password)] if password else [])]


def reference() -> list[tuple[str, str, str, str]]:
    """Every setting as (variable, description, example, default), for the reference page."""
    rows: list[tuple[str, str, str, str]] = []

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, info in model.model_fields.items():
            annotation = info.annotation
            if name == "webhooks":
                walk(Webhook, f"{prefix}WEBHOOKS__<SOURCE>__")
            elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
                walk(annotation, f"{prefix}{name.upper()}__")
            else:
                default = "" if info.default in (None, []) else str(info.default)
                if isinstance(info.default, dict):
                    default = json.dumps(info.default)
                example = str((info.examples or [""])[0])
                rows.append((prefix + name.upper(), info.description or "", example, default))

    walk(Settings, PREFIX)
    return rows
