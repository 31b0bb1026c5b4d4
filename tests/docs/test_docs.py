"""The docs say what the code does: a setting or command that they do not mention fails here."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import yaml

from bot import registry, settings
from bot.catalog import load_catalog
from bot.catalog.checks import Kind
from bot.catalog.durations import spelled
from bot.catalog.severity import DEFAULTS
from bot.chat.slack.manifest import manifest
from bot.chat.verbs import FORMS
from bot.cli.reference import reference
from bot.incidents.clocks import LAWS
from bot.incidents.times import parse_time
from bot.runbooks.check import check
from bot.runbooks.read import read

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("*.md"))]


def test_reference_is_what_the_code_says() -> None:
    """docs/reference.md is the generator's output; `make docs` writes it anew."""
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_settings_named_exist(page: Path) -> None:
    """A JACKLINE_… variable in a page is one that can be set."""
    known = {name.replace("<SOURCE>", "") for name, *_ in settings.reference()}
    for name in re.findall(r"JACKLINE_[A-Z_]+[A-Z]", page.read_text("utf-8")):
        plain = re.sub(r"(JACKLINE_WEBHOOKS__)[A-Z]+(__SECRETS)", r"\1\2", name)
        assert plain in known or any(k.startswith(plain) for k in known), f"{page.name}: {name}"


def test_every_runbook_example_passes_the_checker() -> None:
    """What a page shows as a runbook can be copied and works."""
    integrations = registry.load()
    catalog = load_catalog(ROOT / "runbooks" / "catalog")
    found = 0
    for page in PAGES:
        for text in re.findall(r"````markdown\n(---\n.*?)````", page.read_text("utf-8"), re.DOTALL):
            runbook, problems = read(text, str(page))
            assert runbook is not None, problems
            assert check(runbook, integrations, catalog) == []
            found += 1
    assert found


def test_the_catalog_example_of_trackers_is_read(tmp_path: Path) -> None:
    """It can be copied beside a service, and every integration that keeps tickets is in it."""
    integrations = registry.load()
    text = (ROOT / "docs" / "postmortem-editing.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "all.yaml").write_text(f"{block}services: [{{id: checkout, title: C, tier: p0}}]\n")
    catalog = load_catalog(tmp_path)
    registry.check_trackers(tmp_path, catalog, integrations)
    assert {t.integration for t in catalog.trackers} == set(integrations.tickets)
    assert [catalog.tracker(s).id for s in (["checkout"], [])] == ["checkout", "ops"]


def test_the_catalog_example_of_digests_is_read(tmp_path: Path) -> None:
    """The page's, and the one that ships as a comment."""
    text = (ROOT / "docs" / "learning.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    shipped = (ROOT / "runbooks" / "catalog" / "digests.yaml").read_text("utf-8")
    assert block == "".join(re.findall(r"^# ?((?:digests|  -).*\n)", shipped, re.MULTILINE))
    (tmp_path / "all.yaml").write_text(block)
    (entry,) = load_catalog(tmp_path).digests
    assert (entry.day, entry.at, entry.timezone) == ("mon", "09:00", "Europe/Berlin")


def test_the_catalog_examples_of_alerts_are_read(tmp_path: Path) -> None:
    """What the page shows for the catalog can be copied, and its sources are there."""
    integrations = registry.load()
    text = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
        (tmp_path / f"{number}.yaml").write_text(block)
    catalog = load_catalog(tmp_path)
    registry.check_sources(tmp_path, catalog, integrations)
    registry.check_evidence(tmp_path, catalog, integrations)
    assert (len(catalog.sources), len(catalog.rules), len(catalog.heartbeats)) == (2, 6, 2)
    assert {check.kind for check in catalog.services[0].checks} == set(get_args(Kind))
    assert all(f"| `{kind}` |" in text for kind in get_args(Kind))
    assert [window.name for window in catalog.maintenance] == ["Network swap"]
    assert len(catalog.services[1].evidence) == 7
    for source in [*integrations.sources, *integrations.evidence]:
        assert f"(../integrations/{source}/README.md)" in text


def test_the_catalog_examples_of_paging_are_read(tmp_path: Path) -> None:
    """What the page shows can be copied, one block after the other."""
    pages = [
        (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("paging", "status-pages")
    ]
    blocks = re.findall(r"```yaml\n(.*?)```", "\n".join(pages), re.DOTALL)
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.yaml").write_text(block)
    catalog, integrations = load_catalog(tmp_path), registry.load()
    registry.check_status_pages(tmp_path, catalog, integrations)
    assert [s.id for s in catalog.schedules] == ["payments"]
    assert {p.integration for p in catalog.status_pages} <= set(integrations.status_pages)
    assert all(f"integrations/{name}/" in pages[1] for name in integrations.status_pages)


def test_the_catalog_examples_of_updates_are_read(tmp_path: Path) -> None:
    """What the page shows can be copied; its tables name every duty, and the defaults as they are."""
    text = (ROOT / "docs" / "updates.md").read_text("utf-8")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
        (tmp_path / f"{number}.yaml").write_text(block)
    catalog = load_catalog(tmp_path)
    assert {law.id for law in catalog.regulations} == set(LAWS)
    for law in LAWS.values():
        assert all(f"`{duty}`" in text for duty in law.duties)
    for name, rule in DEFAULTS.items():
        (line,) = re.findall(rf"^\| `{name}` \|(.*)\|$", text, re.MULTILINE)
        shown = [cell.strip().replace(" ", "").replace("min", "m") for cell in line.split("|")]
        own = (rule.updates.get("internal"), rule.acknowledge_within, rule.commander_within,
               rule.idle_after, rule.postmortem_within)  # fmt: skip
        assert shown[:5] == [spelled(each) if each else "" for each in own]
        assert shown[5].startswith("waits") is (rule.night is not None)


def test_the_times_of_the_docs_are_read() -> None:
    text = (ROOT / "docs" / "updates.md").read_text("utf-8")
    section = text.partition("## Times")[2].partition("##")[0]
    now = datetime(2026, 2, 1, tzinfo=UTC)
    found = re.findall(r"`([^`]*[0-9][^`]*)`", section)
    assert len(found) == 8
    assert all(parse_time(each, now, "UTC") > now for each in found)


def test_shipped_runbooks_pass_the_checker() -> None:
    """Everything in runbooks/ is loadable as it is."""
    integrations = registry.load()
    catalog = load_catalog(ROOT / "runbooks" / "catalog")
    for path in (ROOT / "runbooks").glob("*.md"):
        runbook, problems = read(path.read_text("utf-8"), str(path))
        assert runbook is not None, problems
        assert check(runbook, integrations, catalog) == []


def test_slack_manifest_has_our_commands() -> None:
    """It is what `jackline slack manifest` prints."""
    kept = (ROOT / "docs" / "slack-app-manifest.yaml").read_text("utf-8")
    assert yaml.safe_load(kept) == manifest()


def test_readme_mentions_every_chat_command() -> None:
    """A command that nobody reads about is a command that nobody uses."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for form in (form for forms in FORMS.values() for form in forms):
        words = " ".join(form.usage.split()[:2])
        assert words in readme, words
