"""`jackline incidents publish`: shown first, stored with --yes, and listed."""

import json

import pytest

from tests.cli.conftest import Cli

MORE = {
    "targets": [{"name": "http/page", "url": "https://127.0.0.1:9"}],
    "status_pages": [{"id": "public", "integration": "cstate", "target": "http/page",
                      "components": {"shop": "Shop"}}],
}  # fmt: skip


@pytest.mark.slow
def test_shown_first_then_stored(cli_on: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored before somebody has said yes to what was shown."""
    (cli_on.catalog.parent / "more.yaml").write_text(json.dumps(MORE))
    number = cli_on.declare(services=["shop"])
    asked = ("incidents", "publish", str(number), "public", "We look [into] it.", "--by", "ana")
    assert "title for customers" in cli_on(*asked).refused(2)
    monkeypatch.setattr("typer.confirm", lambda _: False)
    shown = cli_on(*asked, "--title", "Shop is slow")
    assert shown.out == (
        "public: Shop is slow\ninvestigating: We look [into] it.\n  Shop: partial_outage\n"
    )
    assert (shown.code, "Nothing is published" in shown.err) == (2, True)
    assert cli_on("incidents", "published", "1").out == "Customers were told nothing.\n"
    stored = cli_on(*asked, "--title", "Shop is slow", "--health", "shop=major_outage", "--yes")
    assert "Shop: major_outage" in stored.out
    (row,) = cli_on("incidents", "published", "1", "--json").json()
    assert (row["state"], row["by"], row["components"]) == ("pending", "ana", {"Shop": "major_outage"})  # fmt: skip
    assert "We look [into] it." in cli_on("incidents", "published", "1").out
    assert "is not SERVICE=HEALTH" in cli_on(*asked, "--health", "shop").refused(2)
    refused = cli_on(*asked[:-1], "ben", "--title", "t", "--yes")
    assert (refused.code, "needs the role 'commander'" in refused.err) == (2, True)
