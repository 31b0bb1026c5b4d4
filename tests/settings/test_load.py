"""Settings come from the environment, and a wrong one is said so that it can be put right."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.errors import BadSetting
from bot.settings import Settings, load, reference

EXAMPLES = [
    (name.replace("<SOURCE>", "GRAFANA").removeprefix("JACKLINE_"), example)
    for name, _, example, _ in reference()
]
SLACK = {"SLACK__BOT_TOKEN": "xoxb-1", "SLACK__APP_TOKEN": "xapp-1"}
INSTALLABLE = SLACK | {
    "SLACK__CLIENT_ID": "1.2", "SLACK__CLIENT_SECRET": "hush",
    "CONSOLE__PUBLIC_URL": "https://jackline.example.com",
}  # fmt: skip


def loaded(given: Mapping[str, str]) -> Settings:
    """The settings with these variables, written without the prefix."""
    return load({f"JACKLINE_{name}": value for name, value in given.items()})


def refused(given: Mapping[str, str]) -> BadSetting:
    with pytest.raises(BadSetting) as caught:
        loaded(given)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.field in message
    return caught.value


def test_nothing_needs_to_be_set() -> None:
    """Without a variable Jackline runs on SQLite with the console alone."""
    settings = load({"PATH": "/bin", "JACKLINE": "no prefix"})
    assert settings.listen == ("127.0.0.1", 8080)
    assert settings.store_url == f"sqlite+aiosqlite:///{Path('data').absolute()}/jackline.db"
    assert not settings.slack.enabled


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_accepts_its_documented_example(name: str, example: str) -> None:
    """What the reference shows can be copied; some of Slack's need partners beside them."""
    assert example
    partners = {"SLACK__APP_TOKEN": "xapp-1"} if name == "SLACK__BOT_TOKEN" else {}
    if name.startswith("SLACK__CLIENT_"):
        partners = INSTALLABLE
    assert name.rpartition("__")[2].lower() in str(loaded(partners | {name: example}).model_dump())


def test_the_environment_is_read_when_nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACKLINE_HTTP_LISTEN", "[::1]:9000")
    assert load().listen == ("::1", 9000)


@pytest.mark.parametrize("name", ["AUDIT_KEY", "CONSOLE__SESSION_KEY"])
def test_an_empty_key_is_no_key(name: str) -> None:
    """A compose file's `KEY=${KEY:-}` must not sign with nothing: a key is made then."""
    for empty in ("", "  "):
        settings = loaded({name: empty})
        assert settings.audit_key is None
        assert settings.console.session_key is None


def test_empty_variables_are_not_set() -> None:
    given = {"SLACK__BOT_TOKEN": "", "SLACK__APP_TOKEN": "", "DATA_DIR": "", "LOG_LEVEL": ""}
    settings = loaded(given | {"WEBHOOKS__GRAFANA__SECRETS": ""})
    assert settings == load({})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTP_LISTEN", "8080", "must be host:port"),
        ("HTTP_LISTEN", ":8080", "must be host:port"),
        ("HTTP_LISTEN", "localhost:99999", "must be host:port"),
        ("HTTP_LISTEN", "localhost:²", "must be host:port"),
        ("HTTP_LISTEN", "http://localhost:80", "must be host:port"),
        ("HTTP_LISTEN", "::1:80", "must be host:port"),
        ("DATABASE_URL", "mysql://u@db/j", "must be a sqlite+aiosqlite or postgresql+asyncpg"),
        ("DATABASE_URL", "sqlite:///j.db", "must be a sqlite+aiosqlite or postgresql+asyncpg"),
        ("DATABASE_URL", "postgresql://u@db:x/j", "is not an address"),
        ("DATABASE_URL", "sqlite+aiosqlite://", "must name a file"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:", "must name a file"),
        ("LOG_LEVEL", "loud", "must be 'debug', 'info', 'warning' or 'error'"),
        ("SLACK__MODE", "HTTP", "must be 'socket' or 'http'"),
        ("SLACK__API_URL", "https://slack.com/api", "does not look right"),
        ("SLACK__DIGEST_CHANNEL", "#incidents", "does not look right"),
        ("SLACK__APP_TOKEN", "xoxb-1", "is not an app-level token"),
        ("CONSOLE__PUBLIC_URL", "jackline.example.com", "does not look right"),
        ("WEBHOOKS__GRAFANA__SECRETS", "new,old", "is not a JSON list of strings"),
        ("WEBHOOKS__GRAFANA__SECRETS", '"new"', "is not a JSON list of strings"),
        ("WEBHOOKS__GRAFANA__SECRETS", '["new", 5]', "is not a JSON list of strings"),
        ("WEBHOOKS__GRAFANA__SECRETS", '{"a": "b"}', "is not a JSON list of strings"),
    ],
)
def test_a_wrong_value_is_refused_with_an_example(name: str, value: str, words: str) -> None:
    """The message names the variable, what is wrong with it, and a value that would do."""
    error = refused({name: value})
    assert error.field == f"JACKLINE_{name}"
    assert f"JACKLINE_{name}: {words}" in error.message
    example = dict(EXAMPLES).get(name) or '["s3cret-new", "s3cret-old"]'
    assert error.hint == f"Example: JACKLINE_{name}={example}"


@pytest.mark.parametrize(
    "name",
    [
        "NOPE", "MODEL_CONFIG", "SLACK", "SLACK__", "SLACK__NOPE", "SLACK__BOT_TOKEN__X__Y",
        "WEBHOOKS", "WEBHOOKS__GRAFANA", "WEBHOOKS__GRAFANA__TOKEN", "WEBHOOKS__SECRETS", "__", "",
    ],
)  # fmt: skip
def test_an_unknown_variable_is_refused(name: str) -> None:
    """A setting that would silently do nothing is an error that names the variable."""
    value = '["a"]' if name.endswith("SECRETS") else "x"
    error = refused({name: value})
    assert error.field.startswith(f"JACKLINE_{name}".removesuffix("__X__Y"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DATABSE_URL", "JACKLINE_DATABASE_URL"),
        ("SLACK__BOTTOKEN", "JACKLINE_SLACK__BOT_TOKEN"),
        ("SLACK_BOT_TOKEN", "JACKLINE_SLACK__BOT_TOKEN"),
    ],
)
def test_a_near_miss_is_guessed(name: str, meant: str) -> None:
    assert refused({name: "x"}).hint == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"SLACK__BOT_TOKEN": "xoxb-1"}, "JACKLINE_SLACK__APP_TOKEN"),
        ({"SLACK__BOT_TOKEN": "xoxb-1", "SLACK__APP_TOKEN": ""}, "JACKLINE_SLACK__APP_TOKEN"),
        (SLACK | {"SLACK__MODE": "http"}, "JACKLINE_SLACK__SIGNING_SECRET"),
        (
            {"SLACK__BOT_TOKEN": "xapp-1", "SLACK__APP_TOKEN": "xoxb-1"},
            "JACKLINE_SLACK__BOT_TOKEN",
        ),
        (
            {"SLACK__BOT_TOKEN": "xoxb-1", "SLACK__BOT_TOKEN__X": "1"},
            "JACKLINE_SLACK__BOT_TOKEN__X",
        ),
        (INSTALLABLE | {"SLACK__CLIENT_SECRET": ""}, "JACKLINE_SLACK__CLIENT_SECRET"),
        (INSTALLABLE | {"SLACK__CLIENT_ID": ""}, "JACKLINE_SLACK__CLIENT_ID"),
        (INSTALLABLE | {"SLACK__BOT_TOKEN": ""}, "JACKLINE_SLACK__BOT_TOKEN"),
        (INSTALLABLE | {"CONSOLE__PUBLIC_URL": ""}, "JACKLINE_CONSOLE__PUBLIC_URL"),
        ({"SLACK__DIGEST_CHANNELS": '{"general": "C012"}'}, "JACKLINE_SLACK__DIGEST_CHANNELS"),
        ({"SLACK__DIGEST_CHANNELS": "C012"}, "JACKLINE_SLACK__DIGEST_CHANNELS"),
    ],
    ids=[
        "socket-needs-app-token",
        "empty-app-token",
        "http-needs-secret",
        "swapped",
        "nested",
        "id-without-secret",
        "secret-without-id",
        "further-without-first",
        "nowhere-to-come-back",
        "digest-of-a-name",
        "digest-of-none",
    ],
)
def test_settings_that_do_not_fit_together(given: dict[str, str], field: str) -> None:
    """Each is fine alone; together Slack could not be reached."""
    assert refused(given).field == field


@pytest.mark.parametrize("prefix", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_postgresql_address_gets_our_driver(prefix: str) -> None:
    settings = loaded({"DATABASE_URL": f"{prefix}://u:pw@db:5432/j"})
    assert settings.store_url == "postgresql+asyncpg://u:pw@db:5432/j"


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).log_level = "debug"  # type: ignore[misc]  # that is the claim
