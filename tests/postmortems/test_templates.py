"""A team's templates decide what comes in which order; they can do no harm, and one that breaks is named."""

from pathlib import Path

import pytest
import structlog

from bot.located import BadFile
from bot.postmortems.draft import draft
from bot.postmortems.render import html, markdown
from bot.postmortems.template_check import check_templates
from bot.postmortems.templating import Templates
from tests.postmortems.story import CATALOG, FACTS, blackout
from tests.postmortems.test_escape import NASTY, nasty_draft, read


def made():
    return draft(FACTS, blackout(), CATALOG, {})


def put(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


BRIEF = """{% extends "postmortem.md.j2" %}
{% block intro %}Our own words.{% endblock %}

{% block sections %}
{% for section in draft.sections if section.title in ("Summary", "Action items") %}
{{ show(section) }}
{% endfor %}
{% endblock %}
{% block end %}
## Signed by
{% endblock %}
"""


def test_a_severity_has_its_own(tmp_path):
    """Its order and words; the front matter stays Jackline's; other severities have the default."""
    put(tmp_path, "sev1.md.j2", '{% from "parts.md.j2" import show %}' + BRIEF)
    put(tmp_path, "default.md.j2", "# {{ draft.title }}\n")
    text = markdown(made(), Templates(tmp_path))
    assert text.startswith("---\nid: INC-12\n")
    assert "Our own words." in text
    assert text.index("## Summary") < text.index("## Action items") < text.index("## Signed by")
    assert "## Decisions" not in text
    assert "<h2>Signed by</h2>" in html(made(), {}, Templates(tmp_path))
    assert Templates(tmp_path).own("sev3").name == "default.md.j2"
    assert check_templates(tmp_path) == []


def test_without_a_folder_the_shipped_one_serves(tmp_path):
    """Nothing needs to be there."""
    assert markdown(made(), Templates(tmp_path / "none")) == markdown(made())


@pytest.mark.parametrize(("text", "line", "said"), [
    ("one\ntwo {% if %}\n", 2, "Expected an expression"),
    ("one\n\n{{ draft.nothing }}\n", 3, "nothing"),
    ("{{ draft.__class__.__mro__ }}", 1, "__class__"),
    ("{% for n in range(10000000) %}x{% endfor %}", 1, "Range too big"),
    ("a\n{{ 1 / 0 }}", 2, "division"),
    ('{% include "../secret" %}', 1, "secret"),
    ("{# nothing #}", 1, "prints nothing"),
    ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", 1, "recursion"),
])  # fmt: skip
def test_a_broken_one_is_named_with_its_line(tmp_path, text, line, said):
    """The shipped template serves, the log has the place, and `jackline check` lists it."""
    path = put(tmp_path, "sev1.md.j2", text)
    with pytest.raises(BadFile, match=said):
        Templates(tmp_path).render(path, made())
    with structlog.testing.capture_logs() as logs:
        assert markdown(made(), Templates(tmp_path)) == markdown(made())
    assert logs[0]["problem"].startswith(f"{path}:{line}:")
    (problem,) = check_templates(tmp_path)
    assert (problem.path, problem.line) == (str(path), line)


def test_whatever_it_prints_is_escaped(tmp_path):
    """Also where the template passes text through no filter."""
    put(tmp_path, "sev1.md.j2", "{% for s in draft.sections %}{% for b in s.blocks %}{% if b.rows is defined %}"
        "{% for row in b.rows %}{% for line in row %}{% for part in line %}{% if part is string %}"
        "\n\n{{ part }}\n{% endif %}{% endfor %}{% endfor %}{% endfor %}{% endif %}{% endfor %}{% endfor %}")  # fmt: skip
    page = html(nasty_draft(), {}, Templates(tmp_path))
    seen = read(page)
    assert "alert(1)" in page
    assert not seen.tags & {"script", "img", "iframe", "h1", "code"}
    assert NASTY[:9] not in page


def test_a_file_that_nothing_uses_is_a_mistake(tmp_path):
    """A severity that there is not would never be looked for."""
    put(tmp_path, "sev9.md.j2", "x")
    (problem,) = check_templates(tmp_path)
    assert "is used by nothing" in problem.message
