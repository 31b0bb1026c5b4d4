"""The one test that every source of alerts passes, on what its vendor sends and on garbage."""

import copy
import importlib
import json
from dataclasses import replace
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import convert, to_builtins

from bot.contract import Alert, AlertSource, ConfiguredSource, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.registry import load

REGISTRY = load()
OLD, NEW = "the-older-secret", "the-newer-secret"
ROUNDS, EACH = 100, 100  # inputs that are garbage: 10,000 a source
GARBAGE: list[Any] = [
    None, True, 0, -1, 1e300, 2**70, "", "x", "a\x00b", "\u202e<!channel>", "x" * 10_000, [], {},
    [[]], {"": ""}, [None], {"a": {"b": []}}, "2026-13-45T99:99:99Z", "9999-12-31T23:59:59-23:59",
]  # fmt: skip


@pytest.fixture(params=sorted(REGISTRY.sources))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(name: str) -> AlertSource:
    return REGISTRY.sources[name]


@pytest.fixture
def sample(name: str) -> ModuleType:
    return importlib.import_module(f"tests.integrations.sources.{name}")


def sent(sample: ModuleType, body: bytes, secret: str = NEW) -> RawRequest:
    """The request of an entry in the catalog with the sample's settings."""
    request: RawRequest = sample.sent(body, secret)
    return replace(request, settings=getattr(sample, "SETTINGS", {}))


def test_who_sends_must_prove_it(source: AlertSource, sample: ModuleType) -> None:
    """Each live secret is taken; no other one, none at all, and none where none is set."""
    request = sent(sample, sample.FIRING)
    for live in ([NEW], [NEW, OLD], [OLD, NEW]):
        source.authenticate(request, live)
    bare = replace(request, headers={}, query={})
    for refused, live in (
        (request, [OLD]),
        (bare, [NEW]),
        (request, []),
        (request, [""]),
        (bare, [""]),
    ):
        with pytest.raises(AuthFailed) as caught:
            source.authenticate(refused, live)
        assert NEW not in str(caught.value)
        assert OLD not in str(caught.value)
    for header, value in request.headers.items():
        broken = replace(request, headers={**request.headers, header: f"{value}x"})
        try:
            source.authenticate(broken, [NEW])
        except AuthFailed:
            break
    else:
        assert request.query, "no header proves anything"


def test_firing_and_resolved_are_one_alert(source: AlertSource, sample: ModuleType) -> None:
    """The same identity; its end is not before its beginning; the link leads back."""
    firing = source.parse(sent(sample, sample.FIRING))
    resolved = source.parse(sent(sample, sample.RESOLVED))
    assert firing
    assert {alert.status for alert in firing} == {"firing"}
    never = sample.RESOLVED == sample.FIRING
    assert {alert.status for alert in resolved} == {"firing" if never else "resolved"}
    assert {a.fingerprint for a in firing} == {a.fingerprint for a in resolved}
    for alert in (*firing, *resolved):
        assert alert.name
        assert alert.summary
        assert alert.link.startswith(("http://", "https://"))
        assert alert.starts_at.utcoffset() is not None
        assert alert.ends_at is None or alert.ends_at >= alert.starts_at


def test_the_same_again_is_the_same(source: AlertSource, sample: ModuleType) -> None:
    """What a vendor sends twice has one identity, so the intake stores it once."""
    for body in (sample.FIRING, sample.RESOLVED):
        request = sent(sample, body)
        assert source.parse(request) == source.parse(request)


def test_its_settings_are_good(source: AlertSource, sample: ModuleType) -> None:
    if isinstance(source, ConfiguredSource):
        source.check(getattr(sample, "SETTINGS", {}))


@pytest.mark.slow
@settings(max_examples=ROUNDS, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=True))  # the other kind takes three quarters of the time
def test_garbage_is_refused_or_read(
    source: AlertSource, sample: ModuleType, random: Random
) -> None:
    """Ten thousand inputs, each a vendor's with something broken: `BadInput`, or alerts."""
    for _ in range(EACH):
        body = _broken(sample.FIRING if random.random() < 0.5 else sample.RESOLVED, random)
        found = _read(source, sent(sample, body))
        if isinstance(found, BadInput):
            assert found.message
            assert found.field
            assert len(found.message) < 1000
            continue
        for alert in found:
            convert(to_builtins(alert), Alert)
            texts = (alert.name, alert.link, *alert.labels.values(), *alert.annotations.values())
            assert not any("\x00" in text for text in (*texts, *alert.labels, *alert.annotations))


def _read(source: AlertSource, request: RawRequest) -> list[Alert] | BadInput:
    try:
        return source.parse(request)
    except BadInput as error:
        return error


def _broken(body: bytes, random: Random) -> bytes:
    """One to three things of the JSON, or lines, replaced, taken away or doubled; or of its bytes."""
    if random.random() < 0.2:
        at = random.randrange(len(body))
        return body[:at] + bytes(random.randbytes(random.randrange(3))) + body[at + 1 :]
    try:
        tree = json.loads(body)
    except ValueError:
        return _garbled(body, random)
    for _ in range(random.randint(1, 3)):
        tree = _changed(tree, random)
    return json.dumps(tree).encode()


def _garbled(body: bytes, random: Random) -> bytes:
    """A text that is no JSON: cut off, or a few of its lines changed."""
    if random.random() < 0.2:
        return body[: random.randrange(len(body))]
    lines = body.split(b"\r\n")
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        name, colon, _ = lines[at].partition(b":")
        rubbish = str(random.choice(GARBAGE)).encode("utf-8", "surrogatepass")
        lines[at : at + 1] = random.choice(
            [[], [lines[at]] * 2, [rubbish], [name + colon + rubbish], [random.choice(lines)]]
        )
    return b"\r\n".join(lines)


def _changed(tree: Any, random: Random) -> Any:
    if not isinstance(tree, dict | list) or not tree or random.random() < 0.05:
        return copy.deepcopy(random.choice(GARBAGE))
    key = random.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    if random.random() < 0.5:
        tree[key] = _changed(tree[key], random)
    elif random.random() < 0.3:
        del tree[key]
    else:
        tree[key] = copy.deepcopy(random.choice(GARBAGE))
    return tree
