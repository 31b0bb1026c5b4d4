"""A catalog that asks for evidence wrongly is refused when it is read, with the place."""

from pathlib import Path

import pytest

from bot.catalog import load_catalog
from bot.located import BadFile
from bot.registry import check_evidence, load

SHOP = """services:
  - id: shop
    title: Shop
    tier: p0
    evidence:
      - integration: prometheus
        target: t/main
        about: {anything: goes}
      - {evidence}
targets:
  - {name: t/main, url: "http://127.0.0.1:1"}
"""


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ("{integration: promtheus, target: t/main}", "no integration 'promtheus' has evidence"),
        ("{integration: haproxy, target: t/main}", "no integration 'haproxy' has evidence"),
        ("{integration: sentry, target: t/main, about: {organization: a, projct: b}}", "sentry knows no 'projct'"),
        ("{integration: sentry, target: t/main, about: {organization: a}}", "project is missing"),
        ("{integration: github, target: t/main}", "repository is missing: owner/name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, evidence: str, words: str) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP.replace("{evidence}", evidence))
    with pytest.raises(BadFile, match=words) as raised:
        check_evidence(tmp_path, load_catalog(tmp_path), load())
    assert raised.value.problem.line == 9


def test_what_is_right_passes(tmp_path: Path) -> None:
    right = "{integration: chaos_mesh, target: t/main, link: 'https://x.example/?a=$since'}"
    (tmp_path / "shop.yaml").write_text(SHOP.replace("{evidence}", right))
    check_evidence(tmp_path, load_catalog(tmp_path), load())


def test_a_page_to_look_on_is_a_page(tmp_path: Path) -> None:
    wrong = "{integration: chaos_mesh, target: t/main, link: 'javascript:alert(1)'}"
    (tmp_path / "shop.yaml").write_text(SHOP.replace("{evidence}", wrong))
    with pytest.raises(BadFile, match="link"):
        load_catalog(tmp_path)
