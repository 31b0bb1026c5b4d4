"""Secrets by reference: read where they are, named when they are not, and left nowhere."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bot.access import Dialer
from bot.access.secrets import Secrets
from bot.catalog import Catalog
from bot.errors import AuthFailed
from bot.log import configure
from bot.registry import load
from bot.runbooks import Library
from bot.runbooks.plan import Planner, arguments
from bot.store import Store
from tests.access.world import stranger
from tests.cli.conftest import COMMAND
from tests.runbooks.room import Room, put, runbook, write_folder
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port
from tests.servers.proxies import microsocks
from tests.servers.vault import Vault, vault

pytestmark = pytest.mark.server
CANARY = "canary-3f9a1c77"


def secrets(environment: dict[str, str] | None = None, **credentials: str) -> Secrets:
    """With these variables, and the catalog's credentials by name."""
    listed = [{"name": name, "ref": ref} for name, ref in credentials.items()]
    catalog = Catalog.model_validate({"credentials": listed})
    return Secrets(lambda: catalog, environment or {})


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
async def test_env_and_file(tmp_path: Path, ending: str) -> None:
    """A line break at the end is the editor's, not the secret's."""
    (tmp_path / "token").write_bytes(f"{CANARY}{ending}".encode())
    found = secrets({"TOKEN": f"{CANARY}{ending}"})
    assert await found.resolved("env:TOKEN") == CANARY
    assert await found.resolved(f"file:{tmp_path}/token") == CANARY


@pytest.mark.parametrize("plain", ["", "word", "http://env:TOKEN", "a b", "ENV:TOKEN", "x:env:T"])
async def test_what_is_no_reference_stands_for_itself(plain: str) -> None:
    assert await secrets({"TOKEN": CANARY}).resolved(plain) == plain


async def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + CANARY.encode())
    for value, said in [
        ("env:NONE", "env:NONE is not set"),
        (f"file:{tmp_path}/none", "none cannot be read: FileNotFoundError"),
        (f"file:{tmp_path}", "IsADirectoryError"),
        (f"file:{tmp_path}/binary", "it is no text"),
        ("credential:none", "no credential 'none' in the catalog"),
        ("vault:kv/shop", "names no field"),
        ("vault:kv/shop#", "names no field"),
        ("vault:kv/shop#token", "env:VAULT_ADDR is not set"),
    ]:
        with pytest.raises(AuthFailed, match=said) as caught:
            await secrets().resolved(value)
        assert CANARY not in str(caught.value)


async def test_a_credential_of_the_catalog_leads_on() -> None:
    """Also as the last word of a header."""
    found = secrets({"TOKEN": CANARY}, shop="env:TOKEN")
    assert await found.resolved("credential:shop") == CANARY
    assert await found.header("Bearer credential:shop") == f"Bearer {CANARY}"
    assert await found.header("credential:shop") == CANARY
    assert await found.header("Basic plain") == "Basic plain"


@pytest.mark.parametrize("value", [f"{CANARY}\nX: y", f"{CANARY}\0", f"é{CANARY}", f"a\r{CANARY}"])
async def test_what_no_header_may_hold(value: str) -> None:
    """It is refused by its reference; the HTTP client's own error would quote it."""
    with pytest.raises(AuthFailed, match=r"credential:shop cannot stand in a header") as caught:
        await secrets({"TOKEN": value}, shop="env:TOKEN").header("Bearer credential:shop")
    assert CANARY not in str(caught.value)


@pytest.fixture
def sealed(tmp_path: Path) -> dict[str, str]:
    """An age file for two recipients; the identity files by name: ana, ben, eve."""
    keys = {name: pyrage.x25519.Identity.generate() for name in ("ana", "ben", "eve")}
    for name, key in keys.items():
        (tmp_path / name).write_text(f"# created: today\n# public key: {key.to_public()}\n{key}\n")
    recipients = [keys["ana"].to_public(), keys["ben"].to_public()]
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(f"{CANARY}\n".encode(), recipients))
    (tmp_path / "plain.age").write_text(CANARY)
    whole = (tmp_path / "secret.age").read_bytes()
    (tmp_path / "changed.age").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (tmp_path / "rubbish").write_text(f"AGE-SECRET-KEY-{CANARY}")
    return {name: str(tmp_path / name) for name in (*keys, "rubbish")} | {"": str(tmp_path)}


@pytest.mark.parametrize("who", ["ana", "ben"])
async def test_age_for_each_recipient(sealed: dict[str, str], who: str) -> None:
    found = secrets({"JACKLINE_AGE_IDENTITY": sealed[who]})
    assert await found.resolved(f"age:{sealed['']}/secret.age") == CANARY


@pytest.mark.parametrize(
    ("who", "file", "said"),
    [
        ("eve", "secret.age", "cannot be decrypted with the identity"),
        ("ana", "plain.age", "cannot be decrypted"),
        ("ana", "changed.age", "cannot be decrypted"),
        ("ana", "none.age", "FileNotFoundError"),
        ("rubbish", "secret.age", "holds something else"),
        ("none", "secret.age", r"identity|FileNotFoundError"),
        ("", "secret.age", "JACKLINE_AGE_IDENTITY"),
    ],
)
async def test_age_that_does_not_open(
    sealed: dict[str, str], who: str, file: str, said: str
) -> None:
    identity = sealed.get(who, "/nowhere") if who else ""
    with pytest.raises(AuthFailed, match=said) as caught:
        await secrets({"JACKLINE_AGE_IDENTITY": identity}).resolved(f"age:{sealed['']}/{file}")
    assert CANARY not in str(caught.value)


@pytest.fixture
def vaulted() -> Iterator[Vault]:
    with vault("s.token") as running:
        running.first("kv/shop", token=CANARY, data={"a": 1}, port=5432)
        running.second("secret/data/shop", token=CANARY)
        yield running


def of(vaulted: Vault, **more: str) -> Secrets:
    return secrets({"VAULT_ADDR": f"{vaulted.url}/", "VAULT_TOKEN": f"{vaulted.token}\n"} | more)


async def test_vault_by_both_versions_of_its_store(vaulted: Vault) -> None:
    """Also a field of version 1 that is called `data`; asked once, with token and namespace."""
    found = of(vaulted, VAULT_NAMESPACE="ops")
    for _ in range(2):
        assert await found.resolved("vault:kv/shop#token") == CANARY
        assert await found.resolved("vault:secret/data/shop#token") == CANARY
    assert await found.resolved("vault:kv/shop#port") == "5432"
    asked = vaulted.app.to("/v1/secret/data/shop")
    assert len(asked) == 1
    assert asked[0].headers["x-vault-token"] == "s.token"
    assert asked[0].headers["x-vault-namespace"] == "ops"


async def test_vault_that_has_it_not(vaulted: Vault) -> None:
    found = of(vaulted)
    for reference, said in [
        ("kv/shop#none", "no field 'none' at kv/shop"),
        ("secret/data/shop#metadata", "no field"),
        ("kv/none#token", "answers 404 to vault:kv/none#token"),
    ]:
        with pytest.raises(AuthFailed, match=said):
            await found.resolved(f"vault:{reference}")
    vaulted.refuses()
    with pytest.raises(AuthFailed, match="answers 403"):
        await found.resolved("vault:kv/shop#token")


@pytest.mark.parametrize("how", ["down", "sealed"])
async def test_vault_down(vaulted: Vault, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """What was read before still serves; what was not is said to be unreadable."""
    found = of(vaulted)
    assert await found.resolved("vault:kv/shop#token") == CANARY
    if how == "down":
        vaulted.app.down()
    else:
        vaulted.sealed()
    later = time.monotonic() + 3600
    monkeypatch.setattr("bot.access.secrets.time.monotonic", lambda: later)
    assert await found.resolved("vault:kv/shop#token") == CANARY
    with pytest.raises(AuthFailed, match="Vault does not answer"):
        await found.resolved("vault:secret/data/shop#token")


async def test_vault_that_hangs_is_waited_for_once(
    vaulted: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target with several secrets is still reached in time, over each of its paths; then it is
    asked anew, and believed again.
    """
    fields = ["kv/shop#token", "kv/shop#port", "secret/data/shop#token"]
    environment = {"VAULT_ADDR": vaulted.url, "VAULT_TOKEN": vaulted.token}
    found = secrets(environment)
    before = [await found.resolved(f"vault:{each}") for each in fields]
    real, later = time.monotonic, [3600]
    monkeypatch.setattr("bot.access.secrets.time.monotonic", lambda: real() + later[-1])
    with socket.create_server((HOST, 0)) as silent:
        environment["VAULT_ADDR"] = f"http://{HOST}:{silent.getsockname()[1]}"
        began = time.perf_counter()
        for _ in range(2):
            assert [await found.resolved(f"vault:{each}") for each in fields] == before
        assert time.perf_counter() - began < 8, "one wait of five seconds"
    environment["VAULT_ADDR"] = vaulted.url
    vaulted.first("kv/shop", token="new", port=5432)
    later.append(3600 + 61)
    assert await found.resolved("vault:kv/shop#token") == "new"


async def test_vault_that_refuses_now_is_believed(
    vaulted: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was revoked is no outage: what was read before is not used any more."""
    found = of(vaulted)
    await found.resolved("vault:kv/shop#token")
    vaulted.refuses()
    later = time.monotonic() + 3600
    monkeypatch.setattr("bot.access.secrets.time.monotonic", lambda: later)
    with pytest.raises(AuthFailed, match="403"):
        await found.resolved("vault:kv/shop#token")


ENVIRONMENT = {
    "SHOP_TOKEN": CANARY, "BROKEN_TOKEN": f"{CANARY}\nx", "PROXY_LOGIN": f"jack:{CANARY}",
    "LONG_LOGIN": f"jack:{CANARY * 30}", "ODD_LOGIN": f"jack:é{CANARY}", "NO_KEY": CANARY,
    "VAULT_TOKEN": CANARY,
}  # fmt: skip
STEPS = ["ok", "echo", "refused", "broken", "proxy", "long", "odd", "key", "nobody", "vault", "hop"]


def catalog_of_canaries(shop: HttpApp, proxy: str) -> dict[str, Any]:
    """Each target or path uses the canary in another way, and most of them fail."""
    token = {"headers": {"Authorization": "Bearer credential:shop"}}
    other = stranger()["host_key"]
    hop = {"url": f"ssh://me@{HOST}:{shop.port}", "key": "env:NO_KEY", "host_key": other}
    nobody = f"http://{HOST}:{free_port()}"
    return {
        "targets": [
            {"name": "http/ok", "url": shop.url, **token},
            {"name": "http/echo", "url": f"{shop.url}/echo", **token},
            {"name": "http/refused", "url": f"{shop.url}/no", **token},
            {"name": "http/broken", "url": shop.url, "headers": {"X-Key": "env:BROKEN_TOKEN"}},
            *({"name": f"http/{n}", "url": shop.url, "via": [n]} for n in ("proxy", "long", "odd")),
            {"name": "http/hop", "url": shop.url, "via": ["hop"]},
            {"name": "http/nobody", "url": nobody, **token},
            {"name": "ssh/key", "url": f"ssh://me@{HOST}:{shop.port}",
             "settings": {"key": "env:NO_KEY", "host_key": other,
                          "commands": '{"see": {"argv": ["true"], "effect": "read"}}'}},
            {"name": "http/vault", "url": shop.url, "headers": {"X-Key": "vault:kv/shop#token"}},
        ],
        "paths": [
            {"name": "direct"},
            {"name": "hop", "kind": "ssh", "hops": [hop]},
            *({"name": name, "kind": "proxy", "proxy": proxy, "credential": name}
              for name in ("proxy", "long", "odd")),
        ],
        "credentials": [{"name": "shop", "ref": "env:SHOP_TOKEN"}] + [
            {"name": name, "ref": f"env:{name.upper()}_LOGIN"} for name in ("proxy", "long", "odd")
        ],
    }  # fmt: skip


async def test_a_secret_is_left_nowhere(
    http_server: Start[HttpApp],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in the database, not in a log, not in a plan, not on a terminal, however it failed."""
    configure("debug")
    shop = http_server("shop")
    shop.answers["/no/step"] = Answer(status=401)
    shop.answers["/echo/step"] = Answer(body=f"You sent: Bearer {CANARY}, token={CANARY}")
    for name, value in (ENVIRONMENT | {"VAULT_ADDR": f"http://{HOST}:{free_port()}"}).items():
        monkeypatch.setenv(name, value)
    url = f"sqlite+aiosqlite:///{tmp_path}/jackline.db"
    store = Store(url)
    await store.migrate()
    with microsocks("jack", "another") as proxy:
        call = """action: http.call
with: {{target: {0}, path: /step}}
needs: []
verify: [{{action: http.check, with: {{target: {0}, path: /step}}, expect: out.ok}}]"""
        texts = {name: runbook(call.format(name), front="approvals: {count: 0}") for name in STEPS}
        read = "action: ssh.read\nwith: {host: key, command: see}"
        texts["key"] = runbook(read, front="approvals: {count: 0}")
        folder = write_folder(tmp_path / "runbooks", texts["ok"])
        for name, text in texts.items():
            (folder / f"{name}.md").write_text(text.replace("id: fix", f"id: {name}", 1))
        place = folder / "catalog" / "all.yaml"
        whole = json.loads(place.read_text()) | catalog_of_canaries(shop, proxy.url)
        place.write_text(json.dumps(whole))
        room = Room(store, folder, load())
        assert room.library.problems == {}
        states = {}
        works = ("ok", "echo")
        for name in STEPS:
            number = await room.start(name=name, origin=name)
            await room.work()
            states[name] = (await room.run(number)).state
        await store.close()
        assert states == {name: "succeeded" if name in works else "failed" for name in STEPS}
        assert shop.to("/step")[0].headers["authorization"] == f"Bearer {CANARY}"
        said = _of_the_command(tmp_path, folder, url)
    seen = capfd.readouterr()
    assert CANARY not in seen.out + seen.err + said
    files = list(tmp_path.glob("jackline.db*"))
    assert files
    assert not [file.name for file in files if CANARY.encode() in file.read_bytes()]


async def test_a_diff_shows_no_secret(http_server: Start[HttpApp], tmp_path: Path) -> None:
    """What the plan shows of a resource that holds the credential; the way back keeps it whole."""
    shop = http_server("shop")
    shop.answers["/step"] = Answer(body=json.dumps({"key": CANARY}))
    target = {
        "name": "http/shop", "url": shop.url,
        "settings": {"user": "file:" + _kept(tmp_path, "responder"), "password": "file:" + _kept(tmp_path, CANARY)},
    }  # fmt: skip
    dialer = Dialer(
        lambda: Catalog.model_validate({"targets": [target], "paths": [{"name": "direct"}]})
    )
    registry = load()
    folder = write_folder(tmp_path / "runbooks", runbook(put("step", "{key: 'responder'}")))
    found = Library(folder, registry).get("fix")
    plan = await Planner(registry, dialer).plan(found, {})
    assert CANARY not in json.dumps(plan)
    assert "[redacted]" in json.dumps(plan)
    assert "responder" in json.dumps(plan)
    action = registry.action("http.put")
    async with dialer.connect("http/shop") as link:
        seen = await action.preview(arguments(action, found.steps[0].step.with_, {}, "s1"), link)
    assert CANARY in json.dumps(seen.state)


def _kept(place: Path, text: str) -> str:
    path = place / f"{len(text)}.txt"
    path.write_text(text)
    return str(path)


def _of_the_command(place: Path, folder: Path, url: str) -> str:
    """What the command prints of runbooks, plans and timelines."""

    env = os.environ | {"JACKLINE_RUNBOOKS_DIR": str(folder), "JACKLINE_DATABASE_URL": url}
    said = ""
    for words in (["check"], *(["plan", name] for name in STEPS[:4]), ["incidents", "show", "1"]):
        done = subprocess.run(
            [COMMAND, *words], env=env, cwd=place, capture_output=True, text=True, check=False
        )
        said += done.stdout + done.stderr
    assert "Fix the shop" in said
    return said
