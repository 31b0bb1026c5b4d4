"""The folder of runbooks: edits are seen, and a broken one leaves the last good version."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.errors import BadInput, NotFound
from bot.registry import Registry
from bot.runbooks import Library
from tests.plainly import without_columns
from tests.runbooks.room import runbook, write_folder

LOOK = "action: http.check\nwith: {target: shop, path: /}"
GOOD = runbook(LOOK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "runbooks", GOOD)


@pytest.fixture
def library(folder: Path, registry: Registry) -> Library:
    return Library(folder, registry)


def edit(path: Path, text: str | bytes) -> None:
    """Writes with a time of its own, since two edits may fall into one tick of the clock."""
    later = path.stat().st_mtime_ns + 1_000_000 if path.exists() else None
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if later is not None:
        os.utime(path, ns=(later, later))


def told(library: Library) -> list[str]:
    return [without_columns(p) for found in library.problems.values() for p in found]


def test_nothing_is_read_again_while_nothing_changes(library: Library) -> None:
    """`reload` says whether anything did."""
    before = library.get("fix")
    assert library.reload() is False
    assert library.get("fix") is before


def test_an_edit_is_in_force_at_once(library: Library, folder: Path) -> None:
    """Also a new file, a removed one, and one that takes another id."""
    edit(folder / "fix.md", GOOD.replace("Fix the shop", "Mend the shop"))
    edit(folder / "second.md", runbook(LOOK, name="second"))
    assert library.reload() is True
    assert library.get("fix").front.title == "Mend the shop"
    assert set(library.runbooks) == {"fix", "second"}
    (folder / "second.md").unlink()
    edit(folder / "fix.md", GOOD.replace("id: fix", "id: mend"))
    library.reload()
    assert set(library.runbooks) == {"mend"}


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (b"", "fix.md:1: must begin with YAML front matter"),
        (GOOD.replace("title:", "titel:").encode(), "fix.md:2: title: Field required"),
        (GOOD.replace("http.check", "http.chek").encode(), "did you mean 'http.check'?"),
        (GOOD.encode().replace(b"Fix the shop", b"Fix the caf\xe9"), "fix.md:4: is not UTF-8 text"),
        (GOOD.encode("utf-16"), "fix.md:1: is not UTF-8 text"),
    ],
)
def test_a_broken_edit_leaves_the_last_good_version(
    library: Library, folder: Path, broken: bytes, expected: str
) -> None:
    """The error is there to be seen, and goes away with the next good edit."""
    before = library.get("fix")
    edit(folder / "fix.md", broken)
    assert library.reload() is True
    assert library.get("fix") is before
    assert expected in "\n".join(told(library))
    edit(folder / "fix.md", GOOD)
    library.reload()
    assert told(library) == []


def test_a_file_that_cannot_be_opened_hides_no_other(folder: Path, registry: Registry) -> None:
    """A folder named like a runbook is reported; the others are read."""
    (folder / "aaa.md").mkdir()
    edit(folder / "latin.md", b"\xff")
    library = Library(folder, registry)
    assert set(library.runbooks) == {"fix"}
    first, second = told(library)
    assert "aaa.md:1: cannot be read: Is a directory" in first
    assert "latin.md:1: is not UTF-8 text" in second


def test_one_id_in_two_files(library: Library, folder: Path) -> None:
    """The one in force stays; the newcomer is the problem, until the first is gone."""
    edit(folder / "again.md", GOOD.replace("Fix the shop", "Another"))
    library.reload()
    assert library.get("fix").front.title == "Fix the shop"
    (problem,) = told(library)
    assert problem.endswith(f"again.md:1: id: 'fix' is also in {folder / 'fix.md'}")
    (folder / "fix.md").unlink()
    library.reload()
    assert library.get("fix").front.title == "Another"
    assert told(library) == []


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("services: [{id: shop, title: S, tier: p9}]", "all.yaml:1: tier: Input should be 'p0'"),
        ("services:\n  - {id: [}", "all.yaml:2: "),
        ("targets: [{name: http/a, url: 'http://a', via: [nope]}]", "via: there is no 'nope'"),
        (b"\xff\xfe", "all.yaml:1: is not UTF-8 text"),
        ("people: ['\x01']", "all.yaml:1: has a character that YAML does not allow"),
    ],
)
def test_a_broken_catalog_leaves_the_last_good_one(
    library: Library, folder: Path, broken: str | bytes, expected: str
) -> None:
    """People and targets stay known, and the error is as visible as a runbook's."""
    before = library.catalog
    edit(folder / "catalog" / "all.yaml", broken)
    assert library.reload() is True
    assert library.catalog is before
    assert expected in "\n".join(told(library))
    assert set(library.runbooks) == {"fix"}


def test_a_change_of_the_catalog_checks_the_runbooks_again(library: Library, folder: Path) -> None:
    """A target that is gone makes the runbook that needs it a problem."""
    catalog = folder / "catalog" / "all.yaml"
    edit(catalog, catalog.read_text().replace("http/shop", "http/other"))
    library.reload()
    assert "there is no target 'http/shop'" in "\n".join(told(library))


def test_the_first_catalog_must_be_good(folder: Path, registry: Registry) -> None:
    """There is no last good one at start."""
    edit(folder / "catalog" / "all.yaml", "peolpe: []")
    with pytest.raises(BadInput, match=r"all.yaml:1:1: peolpe: unknown section"):
        Library(folder, registry)


def test_an_unknown_runbook_is_answered_with_the_nearest(library: Library) -> None:
    """And with all that there are."""
    with pytest.raises(NotFound) as raised:
        library.get("fxi")
    assert raised.value.message == "There is no runbook 'fxi'; did you mean 'fix'?"
    assert raised.value.hint == "Known: fix."


def test_matching_goes_by_trigger_and_severity(library: Library, folder: Path) -> None:
    """Alert name, check or affected service; and the severity if the runbook names some."""
    fronts = {
        "by-alert": "triggers: [alert:ShopDown]",
        "by-service": "triggers: [service:shop]\nseverity: [sev1]",
        "by-hand": "",
    }
    for name, front in fronts.items():
        edit(folder / f"{name}.md", runbook(LOOK, front=front, name=name))
    library.reload()

    def found(alert: str, services: list[str], severity: str) -> set[str]:
        trigger = {"source": "alertmanager", "alert": alert}
        return {r.id for r in library.matching(trigger, services, severity)}

    assert found("ShopDown", [], "sev3") == {"by-alert"}
    assert found("Other", ["shop"], "sev1") == {"by-service"}
    assert found("Other", ["shop"], "sev2") == set()
    assert found("ShopDown", ["shop"], "sev1") == {"by-alert", "by-service"}


def test_the_runbook_that_a_rule_names_comes_first(library: Library, folder: Path) -> None:
    """Once, whatever its own triggers say; one that is gone costs nothing."""
    for name in ("a", "b", "c"):
        edit(folder / f"{name}.md", runbook(LOOK, front="triggers: [service:shop]", name=name))
    library.reload()

    def found(named: str) -> list[str]:
        trigger = {"source": "alertmanager", "alert": "X", "runbook": named}
        return [r.id for r in library.matching(trigger, ["shop"], "sev1")]

    assert found("b") == ["b", "a", "c"]
    assert found("fix") == ["fix", "a", "b", "c"]
    assert found("gone") == ["a", "b", "c"]


def test_a_rule_that_names_no_runbook_of_the_folder(library: Library, folder: Path) -> None:
    """It is a problem of the catalog's file, which stays in force; the next edit may heal it."""
    rules = folder / "catalog" / "rules.yaml"
    edit(rules, "rules:\n  - severity: sev1\n    runbook: fxi\n")
    library.reload()
    assert told(library) == [f"{rules}:3: runbook: there is no runbook 'fxi'; did you mean 'fix'?"]
    assert library.catalog.rules[0].severity == "sev1"
    edit(rules, "rules:\n  - severity: sev1\n    runbook: fix\n")
    library.reload()
    assert told(library) == []


async def test_a_fault_while_reading_ends_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches is one of the process's workers: when one ends, all do."""
    looks = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def broken() -> bool:
        loop.call_soon_threadsafe(looks.release)
        raise OverflowError("a fault of ours")

    monkeypatch.setattr("bot.runbooks.library._PAUSE", 0.01)
    monkeypatch.setattr(library, "reload", broken)
    watching = asyncio.create_task(library.watch())
    async with asyncio.timeout(10):
        for _ in range(3):
            await looks.acquire()
    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
