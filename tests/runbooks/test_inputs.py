"""A run's inputs: typed, bounded, and named in every refusal."""

from typing import Any

import pytest

from bot.catalog import Catalog
from bot.errors import BadInput
from bot.runbooks.inputs import resolve_inputs
from bot.runbooks.model import Input

SPECS = {
    "zone": Input(type="enum", values=["eu", "us"], required=True),
    "host": Input(type="string", pattern="[a-z0-9-]{1,20}"),
    "percent": Input(type="integer", default=10, min=0, max=100),
    "free": Input(type="integer"),
    "note": Input(type="string", pattern=".*"),
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"zone": "eu"}, {"zone": "eu", "percent": 10}),
        ({"zone": "us", "percent": "0"}, {"zone": "us", "percent": 0}),
        ({"zone": "us", "percent": 100}, {"zone": "us", "percent": 100}),
        ({"zone": "eu", "host": "web-1"}, {"zone": "eu", "host": "web-1", "percent": 10}),
        ({"zone": "eu", "free": "-5"}, {"zone": "eu", "percent": 10, "free": -5}),
        ({"zone": "eu", "note": "é 日"}, {"zone": "eu", "percent": 10, "note": "é 日"}),
    ],
)
def test_good_values(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Defaults are filled in; an optional one without a default is left out."""
    assert resolve_inputs(SPECS, given, Catalog()) == expected


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({}, "zone", "'zone' is needed"),
        ({"zone": "asia"}, "zone", "'asia' is not one of eu, us"),
        ({"zone": "EU"}, "zone", "'EU' is not one of"),
        ({"zone": ""}, "zone", "'' is not one of"),
        ({"zone": "eu", "zoen": "eu"}, "zoen", "no input 'zoen'"),
        ({"zone": "eu", "percent": -1}, "percent", "-1 is below 0"),
        ({"zone": "eu", "percent": "101"}, "percent", "101 is above 100"),
        ({"zone": "eu", "percent": "1e2"}, "percent", "not a whole number"),
        ({"zone": "eu", "percent": "5.0"}, "percent", "not a whole number"),
        ({"zone": "eu", "percent": True}, "percent", "not a whole number"),
        ({"zone": "eu", "percent": ""}, "percent", "not a whole number"),
        ({"zone": "eu", "free": "9" * 5000}, "free", "not a whole number"),
        ({"zone": "eu", "free": 2**53}, "free", "too large"),
        ({"zone": "eu", "host": "web_1"}, "host", "does not match"),
        ({"zone": "eu", "host": "web-1\n"}, "host", "cannot be printed"),
        ({"zone": "eu", "host": "a; rm -rf /"}, "host", "does not match"),
        ({"zone": "eu", "host": "--force"}, "host", "must not begin with '-'"),
        ({"zone": "eu", "note": "x" * 501}, "note", "longer than 500"),
        ({"zone": "eu", "note": "a\x00b"}, "note", "cannot be printed"),
        ({"zone": "eu", "note": "\ud800"}, "note", "cannot be printed"),
    ],
)
def test_wrong_values(given: dict[str, Any], field: str, expected: str) -> None:
    """Refused with the field's name and in few words, however long the value is."""
    with pytest.raises(BadInput) as raised:
        resolve_inputs(SPECS, given, Catalog())
    assert raised.value.field == field
    assert expected in raised.value.message
    assert len(raised.value.message) < 300
