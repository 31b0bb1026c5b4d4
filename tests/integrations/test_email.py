"""E-mail: what a subject says, expressions of the catalog, and mails that are wrong or made to hurt."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.email.mail import MAX_PARTS
from integrations.email.source import EmailSource
from tests.integrations.sources.email import FIRING, RESOLVED

SOURCE = EmailSource()
NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


def parse(body: bytes, settings: Mapping[str, str] | None = None) -> Alert:
    (alert,) = SOURCE.parse(RawRequest({}, body, settings=settings or {}, received_at=NOW))
    return alert


def found(body: bytes) -> str:
    """The alert's name, or the field for which it is refused."""
    try:
        return parse(body).name
    except BadInput as error:
        return error.field


def mail(
    subject: str, text: str = "Look at it.", settings: Mapping[str, str] | None = None
) -> Alert:
    message = EmailMessage()
    message["From"] = '"Monitoring, of ours" <Monitor@example.com>'
    message["Date"] = "Mon, 23 Nov 2026 22:19:58 +0100"
    message["Subject"] = subject
    message.set_content(text)
    return parse(message.as_bytes(), settings)


def test_the_fields() -> None:
    alert = parse(FIRING)
    assert (alert.status, alert.name) == ("firing", "DiskFull (db1 Büro)")
    assert alert.summary == "[FIRING:1] DiskFull (db1 Büro)"
    assert alert.annotations["description"].startswith("The disk is full.\r\nView alert: https://")
    assert alert.labels == {"from": "grafana@example.com"}
    assert alert.link == "https://grafana.example.com/alerting/1"
    assert alert.starts_at.isoformat() == "2026-11-23T21:19:58+00:00"
    over = parse(RESOLVED)
    assert (over.status, over.fingerprint) == ("resolved", alert.fingerprint)


@pytest.mark.parametrize(
    ("bad", "good", "about"),
    [
        ('ALARM: "cpu" in EU (Ireland)', 'OK: "cpu" in EU (Ireland)', '"cpu" in EU (Ireland)'),
        ("[FIRING:3] TargetDown (eu1)", "[RESOLVED] TargetDown (eu1)", "TargetDown (eu1)"),
        ("[Alerting] High CPU", "[OK] High CPU", "High CPU"),
        ("** PROBLEM Service Alert: web1/HTTP is CRITICAL **",
         "** RECOVERY Service Alert: web1/HTTP is OK **", "Service Alert: web1/HTTP"),
        ("Problem: High CPU on web", "Resolved in 3m 2s: High CPU on web", "High CPU on web"),
        ("Monitor is DOWN: example.com", "Monitor is UP: example.com", "example.com"),
        ("DOWN | nightly backup", "UP | nightly backup", "nightly backup"),
        ("DOWN alert: shop is DOWN", "UP alert: shop is UP", "shop"),
        ("Fired:Sev3 Azure Monitor Alert cpu", "Resolved:Sev3 Azure Monitor Alert cpu",
         "Sev3 Azure Monitor Alert cpu"),
        ("[Critical] Disk full", "[RESOLVED] [Critical] Disk full", "Disk full"),
        ("Incident opened: db", "Re: Incident resolved: db", "db"),
    ],
)  # fmt: skip
def test_how_vendors_write_it(bad: str, good: str, about: str) -> None:
    """The state is told from the rest, which is the same alert before and after."""
    fires, over = mail(bad), mail(good)
    assert (fires.status, over.status) == ("firing", "resolved")
    assert fires.name == over.name == about
    assert fires.fingerprint == over.fingerprint


@pytest.mark.parametrize(
    "subject",
    [
        "Backup of the OK server failed", "db1 is not OK", "Not OK: db1", "unresolved: db1",
        "Up 20% disk on db1", "Alert: not resolved", "Your order is ok with us", "Close the door",
        "[OK] disk is CRITICAL", "New user signed up", "Normalised the data",
    ],
)  # fmt: skip
def test_what_does_not_say_that_it_is_over(subject: str) -> None:
    """An alert that is taken for an end is one that nobody hears of."""
    assert mail(subject).status == "firing"


def test_severity_by_the_words_of_the_state() -> None:
    for subject, grave in (
        ("WARNING: disk", "warning"), ("disk is CRITICAL", "critical"), ("[Failed] job", "error"),
        ("[warning] disk is CRITICAL", "critical"), ("A critical look at disks", ""),
    ):  # fmt: skip
        assert mail(subject).labels.get("severity", "") == grave


def test_expressions_of_the_catalog() -> None:
    """Named groups say what is what; those that are not Jackline's own are labels."""
    settings = {
        "subject": r"^\[(?P<state>\w+)\] (?P<name>[^/]+)/(?P<service>\w+) (?P<percent>\d+)%",
        "body": r"(?m)^Host: (?P<host>.*)\r?$|^Ticket: (?P<fingerprint>\d+)",
        "resolved": "^(Back|Fine)$",
    }
    SOURCE.check(settings)
    alert = mail("[Bad] Disk/shop 95%", "Hello\nHost: db1\n", settings)
    assert (alert.status, alert.name) == ("firing", "Disk")
    assert alert.labels == {
        "service": "shop", "percent": "95", "host": "db1", "from": "Monitor@example.com",
    }  # fmt: skip
    over = mail("[Back] Disk/shop 20%", "Hello\nHost: db1\n", settings)
    assert (over.status, over.fingerprint) == ("resolved", alert.fingerprint)
    assert mail("x", "Ticket: 42", settings).fingerprint == "42"


def test_the_state_may_stand_in_the_text() -> None:
    settings = {"body": r"Status: (?P<state>\w+) \((?P<severity>\w+)\)"}
    fires, over = (mail("Disk", f"Status: {s} (HIGH)", settings) for s in ("Open", "Closed"))
    assert (fires.status, over.status) == ("firing", "resolved")
    assert fires.labels["severity"] == "high"


def test_a_mail_that_no_expression_fits_is_told_as_it_is() -> None:
    alert = mail(
        "WARNING: something new",
        settings={"subject": "^(?P<name>Disk.*)$", "resolved": "^over$"},
    )
    assert (alert.status, alert.name) == ("firing", "something new")


def test_an_expression_cannot_take_forever() -> None:
    """RE2 is linear: what takes others years is found in no time."""
    settings = {"body": r"(?P<x>(a*)*)$|(?P<y>(a|aa)+)!"}
    SOURCE.check(settings)
    before = time.thread_time()
    mail("x", "a" * 500 + "b", settings)
    mail("x", ("a" * 70 + "\n") * 900 + "b", settings)
    assert time.thread_time() - before < 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"subject": "("}, "missing )"),
        ({"subject": r"(?P<a>x)\1"}, "invalid escape"),
        ({"body": "Status: .*"}, "no named group"),
        ({"body": "(?P<a>(((x{100}){100}){100}))"}, "no expression that RE2 takes"),
        ({"resolved": "x" * 1001}, "longer than 1000"),
    ],
)
def test_a_wrong_setting(settings: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        SOURCE.check(settings)
    assert refused.value.field in settings
    assert said in refused.value.message


def test_only_html() -> None:
    """What is seen of it, with where its links lead; nothing of its styles and scripts."""
    body = (
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n<style>p{}</style><script>evil()</script>"
        b"<!-- <p>not this</p> -->"
        b'<p>Disk &amp; <b>memory</b></p><a href="https://example.com/1">more</a><br>&lt;end&gt;'
    )
    alert = parse(body)
    assert alert.annotations["description"] == ("Disk & memory\nhttps://example.com/1 more\n<end>")
    assert alert.link == "https://example.com/1"


def test_without_a_time_it_began_when_it_came() -> None:
    for date in (b"", b"Date: soon\r\n", b"Date: Mon, 99 Nov 2026 22:19:58 +9999\r\n"):
        assert parse(date + b"Subject: x\r\n\r\nx").starts_at == NOW


def test_without_a_subject_the_text_says_it() -> None:
    assert parse(b"From: a@b\r\n\r\nDisk full\r\non db1").name == "Disk full"
    for empty in (b"", b"\r\n\r\n", b"From: a@b\r\n\r\n \r\n", b"Subject: \r\n\r\n"):
        with pytest.raises(BadInput) as refused:
            parse(empty)
        assert refused.value.field == "Subject"


def test_character_sets() -> None:
    """Named, unnamed, unknown and such as would take forever."""
    for header, text, name in (
        (b"iso-8859-1", "Büro".encode("latin-1"), "Büro"), (b"utf-8", "Büro".encode(), "Büro"),
        (b"no-such", "Büro".encode(), "Büro"), (b"punycode", b"a" * 60_000 + b"-b", ""),
        (b"idna", b"a" * 60_000, ""), (b"zip", b"abc", "abc"), (b"rot13", b"abc", "abc"),
        (b"utf-16", b"a", ""),
    ):  # fmt: skip
        before = time.thread_time()
        body = b"Subject: x\r\nContent-Type: text/plain; charset=" + header + b"\r\n\r\n" + text
        assert name in parse(body).annotations.get("description", "")
        assert time.thread_time() - before < 1
    raw = "Subject: Büro\r\n\r\nx".encode()
    assert parse(raw).name == "Büro"


def _nested(depth: int) -> bytes:
    heads = [
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    ]
    return b"Subject: x\r\n" + b"".join(heads) + b"Content-Type: text/plain\r\n\r\nx\r\n"


def test_mails_that_are_made_to_hurt() -> None:
    """Each is read or refused in a moment, where quadratic time would be minutes."""
    with pytest.raises(BadInput) as refused:
        parse(_nested(MAX_PARTS + 1))
    assert refused.value.field == "Content-Type"
    for body in (
        _nested(MAX_PARTS - 1),
        _nested(MAX_PARTS - 1) + b"x\r\n" * 200_000,
        b"Subject: x\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n"
        + b"--b\r\n\r\n" * 50_000,
        b"Subject: " + b"=?a?q?x" * 100_000 + b"\r\n\r\nx",
        b"Subject: " + b"[is now " * 100_000 + b"\r\n\r\nx",
        b"From: " + b'"<(' * 200_000 + b"\r\nSubject: x\r\n\r\nx",
        b"Date: " + b"1 " * 300_000 + b"\r\nSubject: x\r\n\r\nx",
        b"X: y\r\n" * 150_000 + b"Subject: x\r\n\r\nx",
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<a<!--<![" * 100_000,
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<" * 900_000,
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<a href=" * 100_000,
        b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"<script><!--" * 80_000,
        b"Subject: x\r\nContent-Type: text/plain;" + b" a*0*=x;" * 100_000 + b"\r\n\r\nx",
    ):
        before = time.thread_time()
        assert found(body)
        assert time.thread_time() - before < 3, body[:60]


@given(st.binary(max_size=400), st.sampled_from([b"", b"Subject: ", b"Content-Type: ", FIRING]))
def test_any_bytes(body: bytes, before: bytes) -> None:
    """Read or refused, with the field."""
    assert found(before + body)
