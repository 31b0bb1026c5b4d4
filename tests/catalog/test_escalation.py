"""Escalation policies as the catalog has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.catalog import Catalog, load_catalog
from bot.catalog.coverage import warnings
from bot.errors import BadInput
from bot.paging.rules import policies
from bot.store import now
from tests.paging.conftest import CATALOG


def written(folder: Path, **sections: Any) -> Path:
    (folder / "all.yaml").write_text(json.dumps(CATALOG | sections))
    return folder


def test_whose_an_incident_is() -> None:
    """Those that name its service; else those that name none; and only for their severities."""
    catalog = Catalog.model_validate(CATALOG)

    def found(severity: str, *services: str) -> list[str]:
        return [policy.id for policy in policies(catalog, severity, services)]

    assert found("sev1", "web") == ["web"]
    assert found("sev1", "db") == ["rest"]
    assert found("sev1") == ["rest"]
    assert found("sev2", "web", "db") == ["web"]
    assert found("sev2", "db") == []
    assert found("sev3", "web") == []


@pytest.mark.parametrize(
    ("level", "says"),
    [
        ({"who": ["anna"]}, "there is no 'anna'; did you mean 'ana'?"),
        ({"who": ["@cor"]}, "there is no '@cor'; did you mean '@core'?"),
        ({"who": ["schedule:frist"]}, "there is no 'frist'; did you mean 'first'?"),
        ({"who": ["notifier:siron"]}, "there is no 'siron'; did you mean 'siren'?"),
        ({"who": ["ana"], "by": ["smss"]}, "there is no 'smss'; did you mean 'sms'?"),
        ({"who": ["team:ana"]}, 'must be a person\'s id, "@group", schedule:ID or notifier:ID'),
        ({"who": ["ana"], "after": 5}, "must be a duration such as 30s, 5m or 2h"),
        ({"who": []}, "List should have at least 1 item"),
    ],
)
def test_what_is_wrong(tmp_path: Path, level: dict[str, Any], says: str) -> None:
    written(tmp_path, escalations=[{"id": "e", "levels": [level]}])
    with pytest.raises(BadInput) as raised:
        load_catalog(tmp_path)
    assert says in str(raised.value)


def test_a_notifier_that_is_for_nobody(tmp_path: Path) -> None:
    """Without addresses it can only be for pages, where people have theirs."""
    notifier = {"id": "sms", "integration": "fake", "target": "fake/one"}
    written(tmp_path, notifiers=[notifier])
    with pytest.raises(BadInput, match="to: only a notifier with `when: pages` has none"):
        load_catalog(tmp_path)


def test_who_cannot_be_reached_is_a_warning(tmp_path: Path) -> None:
    levels = [{"who": ["dora", "@core"], "by": ["mail"]}, {"who": ["ana"]}]
    written(tmp_path, escalations=[{"id": "e", "levels": levels}])
    (found,) = warnings(tmp_path, load_catalog(tmp_path), now())
    assert "ben, dora cannot be reached so: see `reach` of people" in found.message


def test_an_incident_of_no_service_that_pages_nobody_is_a_warning(tmp_path: Path) -> None:
    written(tmp_path, escalations=[{"id": "e", "services": ["web"], "levels": [{"who": ["ana"]}]}])
    (found,) = warnings(tmp_path, load_catalog(tmp_path), now())
    assert found.message == (
        "services: an incident of no service pages nobody: write one without services"
    )
