"""A secret leaves the settings by its accessor alone: not by repr, error, log or a bad start."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import log
from bot.errors import BadSetting
from bot.settings import Settings, load

HUSH = "hush-5f4dcc3b"
SECRETS = {
    "JACKLINE_DATABASE_URL": f"postgresql://jackline:{HUSH}@db/jackline",
    "JACKLINE_AUDIT_KEY": HUSH,
    "JACKLINE_SLACK__BOT_TOKEN": f"xoxb-{HUSH}",
    "JACKLINE_SLACK__APP_TOKEN": f"xapp-{HUSH}",
    "JACKLINE_SLACK__SIGNING_SECRET": HUSH,
    "JACKLINE_SLACK__CLIENT_ID": "1.2",
    "JACKLINE_SLACK__CLIENT_SECRET": HUSH,
    "JACKLINE_CONSOLE__PUBLIC_URL": "https://jackline.example.com",
    "JACKLINE_WEBHOOKS__GRAFANA__SECRETS": json.dumps([HUSH, f"old-{HUSH}"]),
    "JACKLINE_CONSOLE__SESSION_KEY": HUSH,
}


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """What a test captures is closed after it: nobody may go on logging there."""
    before = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = before


@pytest.fixture
def settings() -> Settings:
    return load(SECRETS)


def test_not_in_repr(settings: Settings) -> None:
    """Also the database's password, which is a part of an address."""
    assert HUSH not in f"{settings!r} {settings} {settings.slack!r} {settings.webhooks!r}"
    assert HUSH in settings.store_url


def test_not_in_a_log_line(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("debug", as_json=True)
    log.get("test").error("started", settings=settings, slack=str(settings.slack), shown=[settings])
    captured = capsys.readouterr()
    assert "started" in captured.err
    assert HUSH not in captured.err + captured.out


@pytest.mark.parametrize(
    "given",
    [
        {"JACKLINE_DATABASE_URL": f"mysql://u:{HUSH}@db/j"},
        {"JACKLINE_DATABASE_URL": f"postgresql://u:{HUSH}@db:x/j"},
        {"JACKLINE_WEBHOOKS__GRAFANA__SECRETS": HUSH},
        {"JACKLINE_WEBHOOKS__GRAFANA__SECRETS": f'"{HUSH}"'},
        {"JACKLINE_WEBHOOKS__GRAFANA__SECRETS": f'["{HUSH}", 5]'},
        {"JACKLINE_WEBHOOKS__GRAFANA__TOKEN": HUSH},
        {"JACKLINE_SLACK__TOKEN": HUSH},
        {"JACKLINE_SLACK__BOT_TOKEN": f"xapp-{HUSH}"},
        {"JACKLINE_SLACK__BOT_TOKEN": f"xoxb-{HUSH}"},
        {"JACKLINE_SLACK__APP_TOKEN": HUSH},
        {"JACKLINE_SLACK__MODE": HUSH},
    ],
)
def test_not_in_an_error(given: dict[str, str]) -> None:
    """Neither in the message nor in what the error drags along."""
    with pytest.raises(BadSetting) as caught:
        load(given)
    assert HUSH not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
