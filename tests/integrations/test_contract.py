"""The one test that every folder in integrations/ passes: it is what its manifest says."""

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from bot.catalog import Catalog
from bot.contract import (
    AlertSource,
    Effect,
    EvidenceSource,
    Manifest,
    Notifier,
    PaperPlace,
    StatusPage,
    Tickets,
)
from bot.registry import FOLDER, load

FOLDERS = sorted(path.parent for path in FOLDER.glob("*/__init__.py"))
MAX_LINES = 300
ALLOWED = {
    "bot.contract",
    "bot.contract.aws_events",
    "bot.contract.drill",
    "bot.contract.evidence",
    "bot.contract.git",
    "bot.contract.http",
    "bot.contract.looking",
    "bot.contract.source",
    "bot.contract.tls",
    "bot.errors",
}


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    return Manifest.model_validate(yaml.safe_load((folder / "manifest.yaml").read_text()))


def classes(folder: Path) -> dict[str, type]:
    """Every public class the folder's modules define, as ``module:Class``."""
    found = {}
    for path in folder.glob("*.py"):
        module = importlib.import_module(f"integrations.{folder.name}.{path.stem}")
        for name, value in inspect.getmembers(module, inspect.isclass):
            if value.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{path.stem}:{name}"] = value
    return found


def is_action(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("name", "effect", "Params", "apply"))


def action_classes(folder: Path) -> dict[str, Any]:
    return {ref: value for ref, value in classes(folder).items() if is_action(value)}


def test_there_are_integrations_and_none_is_broken() -> None:
    """The registry loads all of them: nothing is left out silently."""
    registry = load()
    assert FOLDERS
    assert registry.broken == {}
    assert len(registry.manifests) == len(FOLDERS)


def test_the_manifest_bears_the_folders_name(folder: Path, manifest: Manifest) -> None:
    """So that `bot` finds the code of an id, and a reader the folder."""
    assert manifest.id == folder.name
    assert manifest.docs.startswith("https://")


def test_declared_abilities_are_the_implemented_ones(folder: Path, manifest: Manifest) -> None:
    """No ability that is only claimed, and none that lies there unused."""
    found = classes(folder)
    actions = {value.name: ref for ref, value in action_classes(folder).items()}
    sources = {ref for ref, value in found.items() if issubclass(value, AlertSource)}
    evidence = {ref for ref, value in found.items() if issubclass(value, EvidenceSource)}
    pages = {ref for ref, value in found.items() if issubclass(value, StatusPage)}
    tickets = {ref for ref, value in found.items() if issubclass(value, Tickets)}
    papers = {ref for ref, value in found.items() if issubclass(value, PaperPlace)}
    notifiers = {ref for ref, value in found.items() if issubclass(value, Notifier)}

    assert manifest.actions == actions
    assert {manifest.alert_source} - {""} == sources
    assert {manifest.evidence} - {""} == evidence
    assert {manifest.notifier} - {""} == notifiers
    assert {manifest.status_page} - {""} == pages
    assert {manifest.tickets} - {""} == tickets
    assert {manifest.papers} - {""} == papers


def test_each_action_says_what_it_is(folder: Path, manifest: Manifest) -> None:
    """The reference page, the plan and the engine live from this."""
    for action in action_classes(folder).values():
        assert inspect.getdoc(action), f"{action.name} has no docstring"
        assert action.effect in set(Effect)
        assert action.reverts in (False, action.effect is not Effect.READ)
        assert action.name.startswith(f"{manifest.id}.")
        for method in ("target", "preview", "apply", "verify", "undo"):
            assert callable(getattr(action, method)), f"{action.name} lacks {method}"


def test_params_are_strict_and_described(folder: Path) -> None:
    """An unknown parameter is refused, and each known one is explained."""
    for action in action_classes(folder).values():
        params: type[BaseModel] = action.Params
        assert params.model_config.get("extra") == "forbid", action.name
        assert params.model_fields, action.name
        for name, field in params.model_fields.items():
            assert field.description, f"{action.name}: {name} has no description"
        assert params.model_json_schema()


def test_the_readme_shows_each_action_in_a_step(folder: Path, manifest: Manifest) -> None:
    """With an example whose parameters the action accepts by name."""
    readme = (folder / "README.md").read_text()
    assert "## Connect it\n\n1. " in readme
    assert "## Settings" in readme
    for setting in manifest.settings:
        assert f"`{setting.name}`" in readme
    rendered = re.sub(r"\{\{.*?\}\}", "x", readme)
    steps = [block.partition("```")[0] for block in rendered.split("```yaml\n")[1:]]
    examples = {s["action"]: s for s in map(yaml.safe_load, steps) if "action" in s}
    for action in action_classes(folder).values():
        assert f"`{action.name}`" in readme
        action.Params.model_validate(examples[action.name]["with"])


def test_a_readme_shows_the_catalogs_entries(folder: Path, manifest: Manifest) -> None:
    """A target and a notifier, status page or tracker, as the catalog reads them, no secret in them."""
    if not (manifest.notifier or manifest.status_page or manifest.tickets):
        return
    merged: dict[str, list[Any]] = {}
    for block in (folder / "README.md").read_text().split("```yaml\n")[1:]:
        for section, given in yaml.safe_load(textwrap.dedent(block.partition("```")[0])).items():
            merged.setdefault(section, []).extend(given)
    catalog = Catalog.model_validate(merged)
    entries = [*catalog.notifiers, *catalog.status_pages, *catalog.trackers]
    assert {n.integration for n in entries} == {manifest.id}
    assert {n.target for n in entries} == {t.name for t in catalog.targets}
    secret = {s.name for s in manifest.settings if s.secret}
    for target in catalog.targets:
        for name, value in target.settings.items():
            assert name in {s.name for s in manifest.settings}, name
            assert name not in secret or value.startswith(("env:", "file:")), name


def test_it_imports_only_the_contract(folder: Path) -> None:
    """Of Jackline an integration knows the contract and the errors; of the others nothing."""
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name} imports from outside its folder"
                names = [node.module or ""] if node.level == 0 else []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            ours = {n for n in names if n.partition(".")[0] in {"bot", "integrations", "tests"}}
            assert ours <= ALLOWED, f"{path.name} imports {ours - ALLOWED}"


def test_no_file_is_two_ideas(folder: Path) -> None:
    """A file that wants more than 300 lines is usually two."""
    for path in folder.iterdir():
        if path.is_file():
            assert len(path.read_text().splitlines()) <= MAX_LINES, path.name
