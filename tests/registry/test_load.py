"""Integrations are loaded from their manifests; a broken one is left out and named."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import integrations
from bot.errors import NotFound
from bot.registry import FOLDER, Registry, load

MANIFEST = """
id: {name}
title: Demo
description: For tests.
actions: {{{name}.look: "code:Look"}}
docs: https://example.com
tested_against: real-server
"""
CODE = """
from typing import ClassVar

from pydantic import BaseModel

from bot.contract import Effect

class Look:
    name: ClassVar[str] = "{name}.look"
    effect: ClassVar[Effect] = Effect.READ
    Params: ClassVar[type[BaseModel]] = BaseModel
"""
Install = Callable[..., Registry]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(zeta={"code.py": …})`: folders beside ours, `None` leaves a file out; then loads."""
    monkeypatch.setattr(integrations, "__path__", [str(tmp_path)])
    before = set(sys.modules)

    def make(**folders: dict[str, str | None]) -> Registry:
        for name, changed in folders.items():
            files = {"__init__.py": "", "manifest.yaml": MANIFEST, "code.py": CODE}
            (tmp_path / name).mkdir()
            for file, text in (files | changed).items():
                if text is not None:
                    (tmp_path / name / file).write_text(
                        text.format(name=name) if text in (MANIFEST, CODE) else dedent(text)
                    )
        return load(tmp_path)

    yield make
    for name in set(sys.modules) - before:
        if name.startswith("integrations."):
            del sys.modules[name]


def test_what_ships_loads_whole() -> None:
    """Nothing is broken, each folder has its manifest, each action the name it is found by."""
    registry = load()
    assert registry.broken == {}
    folders = {path.parent.name for path in FOLDER.glob("*/manifest.yaml")}
    assert set(registry.manifests) == folders
    for manifest in registry.manifests.values():
        for name in manifest.actions:
            assert registry.action(name).name == name
        assert bool(manifest.alert_source) is (manifest.id in registry.sources)
        assert bool(manifest.evidence) is (manifest.id in registry.evidence)


def test_a_folder_is_enough(install: Install) -> None:
    """Adding an integration needs no edit elsewhere; a folder without manifest is none."""
    registry = install(alpha={}, notes={"manifest.yaml": None})
    assert registry.broken == {}
    assert list(registry.manifests) == ["alpha"]
    assert list(registry.actions) == ["alpha.look"]


def test_an_unknown_action_is_answered_with_the_known(install: Install) -> None:
    with pytest.raises(NotFound, match=r"no action 'nope'\. Known actions: alpha\.look\."):
        install(alpha={}).action("nope")
    with pytest.raises(NotFound, match=r"Known actions: none\."):
        Registry().action("nope")


def test_an_absent_folder_is_no_integration(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere") == Registry()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"manifest.yaml": "id: ["}, "ParserError"),
        ({"manifest.yaml": ""}, "ValidationError"),
        ({"manifest.yaml": "- a"}, "ValidationError"),
        ({"manifest.yaml": "id: zeta\ntitel: Z"}, "titel"),
        ({"code.py": None}, "ModuleNotFoundError"),
        ({"code.py": "def ("}, "SyntaxError"),
        ({"code.py": "1 / 0"}, "ZeroDivisionError"),
        ({"code.py": "import os; os.environ['NOT_SET_ANYWHERE']"}, "KeyError"),
        ({"code.py": "x = 1"}, "has no attribute 'Look'"),
        ({"code.py": "class Look:\n    def __init__(self): raise RuntimeError('no\\nluck')"}, "no luck"),
        ({"code.py": "class Look:\n    def __init__(self, x): pass"}, "TypeError"),
        ({"code.py": "class Look: name = 'zeta.other'"}, "code:Look is not the action 'zeta.look'"),
        ({"code.py": "class Look: pass"}, "code:Look is not the action 'zeta.look'"),
    ],
)  # fmt: skip
def test_a_broken_one_is_left_out(
    install: Install, changed: dict[str, str | None], reason: str
) -> None:
    """Named with its reason in one line; the others work, and nothing of it is half there."""
    registry = install(zeta=changed, alpha={})
    assert list(registry.broken) == ["zeta"]
    assert reason in registry.broken["zeta"]
    assert "\n" not in registry.broken["zeta"]
    assert list(registry.actions) == ["alpha.look"]
    assert list(registry.manifests) == ["alpha"]


@pytest.mark.parametrize("ability", ["alert_source", "evidence"])
def test_what_the_manifest_promises_must_be_there(install: Install, ability: str) -> None:
    """A class without the ability's methods would fail in the first outage, not at the start."""
    text = MANIFEST.format(name="zeta") + f"{ability}: code:Look\n"
    registry = install(zeta={"manifest.yaml": text, "code.py": CODE.format(name="zeta")})
    assert "code:Look is no " in registry.broken["zeta"]
    assert registry == Registry(broken=registry.broken)


def test_two_cannot_have_one_name(install: Install) -> None:
    """The later folder would silently act for the earlier: it is left out instead."""
    same_id = MANIFEST.format(name="alpha")
    same_action = MANIFEST.format(name="zeta").replace("zeta.look", "alpha.look")
    code = CODE.format(name="alpha")
    registry = install(
        alpha={},
        beta={"manifest.yaml": same_id, "code.py": code},
        zeta={"manifest.yaml": same_action, "code.py": code},
    )
    assert registry.broken == {
        "beta": "ValueError: another integration has the id 'alpha'",
        "zeta": "ValueError: another integration has the action 'alpha.look'",
    }
    assert type(registry.actions["alpha.look"]).__module__ == "integrations.alpha.code"


def test_a_manifest_that_is_not_text(install: Install, tmp_path: Path) -> None:
    (tmp_path / "zeta").mkdir()
    (tmp_path / "zeta" / "manifest.yaml").write_bytes(b"\xff\xfe")
    registry = install(alpha={})
    assert registry.broken["zeta"].startswith("UnicodeDecodeError")
    assert list(registry.actions) == ["alpha.look"]
