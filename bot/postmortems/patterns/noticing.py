"""Through whom something was noticed: a machine, customers, the staff, somebody outside. Pure.

Who is named first noticed it. A machine that reports "and" somebody calls are one moment: the machine's. What
is denied ("no alert fired") noticed nothing, and an alarm that people raise is no machine's.
"""

import re
from typing import Literal

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.sentence import Cue, clauses, cue, is_denied

Noticed = Literal["machine", "customer", "staff", "third-party"]

_PRODUCTS = cue(
    r"nagios\b", r"icinga\b", r"zabbix\b", r"checkmk\b", r"prtg\b", r"sensu\b", r"centreon\b", r"opennms\b", r"librenms\b",
    r"observium\b", r"munin\b", r"solarwinds\b", r"netcool\b", r"scom\b", r"prometheus\b", r"alert ?manager\b", r"grafana\b",
    r"datadog\b", r"new ?relic\b", r"dynatrace\b", r"instana\b", r"appdynamics\b", r"splunk\b", r"sumo ?logic\b", r"honeycomb\b",
    r"cloudwatch\b", r"stackdriver\b", r"azure monitor\b", r"sentry\b", r"rollbar\b", r"bugsnag\b", r"crashlytics\b",
    r"pagerduty\b", r"ops ?genie\b", r"victorops\b", r"pingdom\b", r"uptime ?(?:robot|kuma)\b", r"status ?cake\b",
    r"site ?24x7\b", r"catchpoint\b", r"thousand ?eyes\b", r"graylog\b", r"kibana\b", r"loki\b", r"netdata\b",
)  # fmt: skip
_REPORTING = cue(
    r"alerted\b", r"paging\b", r"snmp\b", r"traps?\b", r"dead ?man\w*", r"(?:reconciliation|nightly|hourly|batch|audit|comparison|validation|scan|cron|consistency|backup) (?:job|run|script|scan|report)s?\b", r"(?:fire|control|alarm) panel\b", r"jobs? (?:finds?|reports?|fails?|opens?|mails?|stops?)\b", r"scanners? (?:find|report|flag)\w*", r"telemetry\b", r"(?:system|platform|tool|script|software) (?:mails|notifies|flags|warns|opens? a ticket|sends? (?:a|an) (?:mail|message|notification|ticket|warning))\b", r"(?:turn|go|goes|went|jump)\w* (?:\w+ )?red\b", r"(?:exception|error) (?:tracker|tracking|reports?) (?:fill|explod|light|spik|overflow)\w*",
    r"(?:health|availability|gateway|integrity|consistency|checksum|smoke|canary|login|sanity|liveness|readiness|api|heart-?beat|end-to-end|ping) (?:\w+ )?(?:checks?|tests?|job)\b",
    r"checks? (?:report|flag|alert|go|went|turn|detect|stop|show)\w*", r"(?:rollout|deploy\w*|release|canary|ci|build|batch|backup) (?:\w+ )?(?:tool|pipeline|controller|analysis|system|job)s?\b",
    r"pipeline\b", r"watch-?dogs?\b", r"health[- ]checks?\b", r"sensors?\b", r"(?:anomaly|intrusion|smoke|fraud) (?:detection|detector)s?\b",
    r"tickets? (?:is |was |are )?(?:opened|created|raised) (?:automatically|by itself)", r"automat\w+ (?:\w+ )?(?:ticket|mail|notification|message|scan|detection|job|report)s?\b",
)  # fmt: skip
_RAISED_BY_HAND = re.compile(
    r"\b(?:rais|sound|ring)\w* the alarm\b|\balarmed\b|\bmonitoring the\b", re.IGNORECASE
)
_TOLD_BY_HAND = re.compile(
    r"\b(?:alert(?:s|ed)|pag(?:es|ed)) (?=(?:us|me|them|the|our|on-?call|ops|an?)\b)", re.IGNORECASE
)
_LOOKS_AT = re.compile(
    r"\b(?:notic|spot|observ|remark|discover|realis|realiz|saw\b|sees\b|see\b|stumbl|happen)\w*[^.;]*?\b(?:in|on|at|from|while|through|over|that|behind|the)\b", re.IGNORECASE,
)  # fmt: skip
_FIRED = cue(r"alert\w*", r"alarm\w*", r"pag(?:e|es|ed|er)\b", r"notif\w+", r"fir(?:es|ed)\b")
_DESK = cue(r"(?:help|service|it|support|staff) ?-?desks?\b", r"support\b", r"hot-?line\b", r"phon(?:e|es|ed|ing) in\b", r"contact cent\w+", r"call cent\w+")  # fmt: skip
_INNER_DESK = cue(r"(?:help|service|it) ?-?desks?\b")
_EMPLOYEES = cue(
    r"employees?\b", r"colleagues?\b", r"staff\b", r"co-?workers?\b", r"(?:own|our) people\b", r"clerks?\b", r"nurses?\b", r"doctors?\b", r"physicians?\b",
    r"radio(?:graph|log)\w+", r"surgeons?\b", r"wards?\b", r"lecturers?\b", r"professors?\b", r"archivists?\b", r"dispatchers?\b", r"editors?\b", r"journalists?\b",
    r"cashiers?\b", r"tellers?\b", r"(?:store|shop|branch|plant|floor|line|shift|depot|gate|warehouse) (?:managers?|workers?|supervisors?|leads?|staff)\b",
    r"supervisors?\b", r"foremen\b", r"foreman\b", r"pilots?\b", r"crews?\b", r"drivers?\b", r"offices?\b", r"designers?\b", r"actuar\w+", r"accountants?\b",
)  # fmt: skip
_CUSTOMERS = cue(
    r"customers?(?!')\b", r"clients?\b", r"subscribers?\b", r"merchants?\b", r"passengers?\b", r"patients?\b", r"citizens?\b", r"residents?\b",
    r"readers\b", r"players\b", r"viewers\b", r"shoppers\b", r"buyers\b", r"students\b", r"social media\b", r"twitter\b", r"tweet\w*", r"(?:end )?users? (?:report|complain|notic|tweet|call)\w*", r"users (?:\w+ ){0,3}(?:say|write|wrote|see|saw|ask|asked|post|mail|ring|rang|phone|message|tell|told)\b", r"reddit\b", r"forums?\b", r"facebook\b", r"app store\b", r"(?:angry|first|many|public) (?:posts|reviews)\b",
)  # fmt: skip
_THEIR_THING = re.compile(  # "Customer API error alarm": the word before a thing is nobody
    r"^(?:customer|client|user|player|subscriber|merchant|passenger|patient)(?! ?(?:report|complain|call|writ|tweet|phon|"
    r"notic|see|saw|e?-?mail|open|rais|contact|ask|say|tell|told|care|support|service|inform|point|ring|alert|discover)\w*)[- ]",
    re.IGNORECASE,
)  # fmt: skip
_TOGETHER = re.compile(
    r"\b(?:and|plus|together with|along with|as well as|at the same (?:time|moment))\b",
    re.IGNORECASE,
)
_THEN = re.compile(
    r"\b(?:later|then|afterwards?|before|until|only|after|subsequently)\b", re.IGNORECASE
)
_OWN_EYES_OUTSIDE = cue(
    r"(?:external|outside|third[- ]party|independent|off-?site|remote) (?:\w+ ){0,2}?(?:monitor(?:s|ing)?|probes?|checks?|synthetic\w*|tests?|ping\w*|uptime|watch-?dogs?|sensors?)\b"
)
_PUBLISHED = cue(r"publish\w*", r"tweet\w*", r"blog\w*", r"compan(?:y|ies)\b", r"service of\b")
_OTHER_PARTY = re.compile(
    r"^([A-Z][\w.&-]*(?: [A-Z][\w.&-]*)?) (?:opens?|opened|reports?|reported|notic\w+|sees?|saw|detects?|detected|"
    r"observ\w+|confirms?|confirmed|publish\w+|tweets?|tweeted|warns?|warned)\b"
)  # fmt: skip
_OUR_ROLES = re.compile(
    r"^(?:engineer|operator|operations|team|support|monitoring|customer|user|page|alert|on-call|sre|staff|first|"
    r"internal|responder|automat|synthetic|probe|dashboard|the\b|an?\b|some\b|several\b|incident|security|network|"
    r"database|platform|commander|coordinator|developer|pager|s3\b|we\b|"
    r"bridge|tickets?\b|calls?\b|case\b|war ?room|conference|major\b|critical\b|sev|p[0-4]\b|priority|helpdesk|help\b|service\b|desk\b|"
    r"(?:noc|occ|soc|gsoc|it|ops|qa|dba|mcc|toc|cto|ciso|crew|shift|duty|night|day|control|scheduler|rollout|gateway|health|logs?|metrics?)\b)", re.IGNORECASE,
)  # fmt: skip


def noticed_by(text: str) -> Noticed:
    """Through whom our own detection came."""
    text = _THEIR_THING.sub("", _RAISED_BY_HAND.sub(" ", text))
    if _people_first(text):
        text = _TOLD_BY_HAND.sub("told ", text)
    machine, customer = _machine(text), _customer(text)
    if machine is not None and customer is not None:
        between = text[min(machine, customer) : max(machine, customer)]
        together = _TOGETHER.search(between) and not _THEN.search(between)
        return "machine" if together or machine < customer else "customer"
    if customer is not None:
        return "customer"
    if machine is None or (_people_first(text) and _LOOKS_AT.search(text) and not _FIRED.search(text)):  # fmt: skip
        return "staff"
    return "machine"


def _people_first(text: str) -> bool:
    first = " ".join(text.split()[:4])
    found = [c.search(first) for c in (lex.PEOPLE, _EMPLOYEES, _CUSTOMERS)]
    starts = [each.start() for each in found if each]
    machine = _PRODUCTS.search(first) or lex.MACHINES.search(first)
    return bool(starts) and not (machine and machine.start() < min(starts))


def _machine(text: str) -> int | None:
    places = [_first(text, each) for each in (lex.MACHINES, _PRODUCTS, _REPORTING)]
    return min((place for place in places if place is not None), default=None)


def _customer(text: str) -> int | None:
    """Employees who call their own desk are no customers of it."""
    named = _first(text, _CUSTOMERS)
    if named is not None:
        return min(p for p in (named, _first(text, lex.CUSTOMERS)) if p is not None)
    if _INNER_DESK.search(text) or (_EMPLOYEES.search(text) and _DESK.search(text)):
        return None
    return _first(text, lex.CUSTOMERS)


def _first(text: str, words: Cue) -> int | None:
    """Where a text first says it without denying it."""
    offset = 0
    for part in clauses(text):
        begins = text.find(part, offset)
        begins = offset if begins < 0 else begins
        found = next((m for m in words.finditer(part) if not is_denied(part, m)), None)
        if found:
            return begins + found.start()
        offset = begins + len(part)
    return None


def is_other_party(text: str, org: str = "", kind: str = "") -> bool:
    """Whether somebody outside noticed it: so called, or a name that is not the organisation's.

    Our own eyes may look from outside, and may bear the name of a product.
    """
    if kind != "detection":
        return False
    if _OWN_EYES_OUTSIDE.search(text) and not _PUBLISHED.search(text):
        return False
    if lex.OUTSIDERS.search(text):
        return True
    found = _OTHER_PARTY.match(text)
    if found is None or _OUR_ROLES.match(text) or _PRODUCTS.search(found.group(1)):
        return False
    name = found.group(1).lower()
    if name.endswith("s"):  # more likely some people than a company
        return False
    return not any(word and word in org.lower() for word in name.split())
