"""docs/postmortems.md: its example is what Jackline draws, its catalog can be copied, its words are there."""

import re
from datetime import timedelta

import yaml

from bot.catalog import load_catalog
from bot.postmortems.proposals import DUE_DAYS
from bot.postmortems.render import markdown
from bot.postmortems.rowclass import WORDS
from bot.postmortems.style import check_style
from bot.postmortems.templating import Templates
from tests.docs.postmortems import PAGE, example, pictures, written
from tests.postmortems.example import EXAMPLE_CATALOG
from tests.postmortems.rubric import Truth, score
from tests.postmortems.story import NOON

TEXT = PAGE.read_text("utf-8")


def test_the_example_is_what_is_drawn() -> None:
    """`make docs` writes it anew; the pictures are beside it."""
    assert written(TEXT) == TEXT
    assert all((PAGE.parent / name).exists() for name in pictures())


def test_the_example_has_every_point() -> None:
    """Of those that a machine can check; and no wording that blames."""
    truth = Truth("sev1", {"Impact start": NOON, "Mitigated": NOON + timedelta(minutes=43),
                           "Resolved": NOON + timedelta(minutes=58)},
                  ("Ana", "Lindqvist", "1234567", "example.com"))  # fmt: skip
    text = markdown(example())
    found = score(text, truth)
    print(found)
    assert found.full, found
    assert check_style(text, "example", EXAMPLE_CATALOG.people) == []


def test_what_the_page_says_can_be_copied(tmp_path) -> None:
    """Catalog, template, words of notes, due dates."""
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (catalog,) = [block for block in blocks if yaml.safe_load(block).keys() >= {"redactions"}]
    (tmp_path / "all.yaml").write_text(catalog)
    assert load_catalog(tmp_path).services[0].slo_days == 28
    (template,) = re.findall(r"```jinja\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "sev1.md.j2").write_text(template)
    assert "## Summary" in Templates(tmp_path).render(tmp_path / "sev1.md.j2", example())
    named = {
        word
        for line in re.findall(r"^\| `.*", TEXT, re.MULTILINE)
        for word in re.findall(r"`([\w ]+):`", line)
    }
    assert named == set(WORDS)
    assert all(f"{days} days for {severity}" in TEXT for severity, days in DUE_DAYS.items())
