"""A week's digest in words: Block Kit for Slack and the console, lines for the terminal. Pure.

What people wrote is data here: it mentions nobody and links nowhere, and is cut so that all of it
fits a message of Slack.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.blocks import LINKABLE, TEXT, Block, context, cut, escape, header, section
from bot.postmortems.learning.sums import Open, Spread
from bot.postmortems.learning.weekly import Due, Long, Recurring, Weekly
from bot.postmortems.page import span

_TITLE, _SHORT, _TEXT, _URL = 90, 45, 140, 300  # characters
_ROOM = 2000  # characters of one list, as JSON: six of them are a message
_MOST = 10  # lines of one list
_NAMED = 5  # incidents named for one pattern
_JOINERS = "\u200c\u200d"  # hold emoji and letters together
_IN = "      "  # how a line is set in below its head


@dataclass(frozen=True)
class Style:
    """How words look somewhere: ``link`` takes an address and a label that is ready."""

    plain: Callable[[str], str]
    strong: Callable[[str], str]
    link: Callable[[str, str], str]
    base: str | None = None  # of the console's pages; None: nothing leads there

    def incident(self, number: int, page: str = "") -> str:
        """``#12``, leading to its page where one can."""
        name = f"#{number}"
        return (
            name if self.base is None else self.link(f"{self.base}/incidents/{number}{page}", name)
        )


@dataclass(frozen=True)
class Part:
    """A head, and lines below it of which there are ``more`` than are shown."""

    head: str
    lines: tuple[str, ...] = ()
    more: int = 0

    @property
    def whole(self) -> str:
        """All of it."""
        left = [f"{_IN}… and {self.more} more"] if self.more else []
        return "\n".join([self.head, *(f"{_IN}{line}" for line in self.lines), *left])


PLAIN = Style(plain=str, strong=str, link=lambda url, label: f"{label} ({url})")


def mrkdwn(base: str | None) -> Style:
    """As Slack and the console read it."""
    return Style(escape, lambda text: f"*{text}*", lambda url, label: f"<{url}|{label}>", base)


def weekly_text(found: Weekly) -> str:
    """One line, for notifications."""
    return f"{_title(found)}: {_count(found.this.incidents)}, {_waits(found)}"


def weekly_blocks(found: Weekly, base: str | None, missed: Sequence[str] = ()) -> list[Block]:
    """``base``: the console's address, empty inside it. ``missed``: weeks before, never posted."""
    style = mrkdwn(base)
    blocks = [header(_title(found))]
    blocks += [_verbatim(section(part.whole)) for part in weekly_parts(found, style)]
    small = [_days(found)]
    if base:
        small.append(style.link(f"{base}/digest?week={found.week}", "Open it in the console"))
    if missed:
        shown = ", ".join(missed[-_NAMED:])
        small.append(
            f"nothing was posted for {shown}" + (" and before" if len(missed) > _NAMED else "")
        )
    return [*blocks, context(" · ".join(small))]


def _verbatim(block: Block) -> Block:
    """Slack makes links and mentions of nothing but what is written as one."""
    block["text"]["verbatim"] = True
    return block


def weekly_lines(found: Weekly) -> list[str]:
    """For the terminal."""
    return [_title(found), _days(found), *(part.whole for part in weekly_parts(found, PLAIN))]


def weekly_parts(found: Weekly, style: Style) -> Iterator[Part]:
    """What there is to say; of a week in which nothing happened in two lines."""
    if found.quiet:
        before = found.before.incidents
        beside = f" The week before: {_count(before)}." if before else ""
        yield Part(
            f"Nothing happened: no incident was declared{' yet' if found.running else ''}.{beside}"
        )
        yield Part(f"Open: {_waits(found)}.")
        return
    yield Part(_counts(found, style))
    if found.this.incidents:
        yield Part(f"{style.strong('Noticed by')} {_noticed(found.detected_by, style)}")
        yield Part(style.strong("Time to"), tuple(_times(found.minutes, style)))
    if found.longest:
        yield _part(style.strong("The longest"), [_long(each, style) for each in found.longest])
    if found.postmortems:
        head = f"{style.strong('Postmortems')}: {_papers(found.postmortems)}"
        yield _part(head, [_paper(each, style) for each in found.postmortems])
    if found.open_actions:
        yield _actions(found, style)
    if found.recurring:
        head = style.strong("What several incidents of 90 days resemble")
        yield _part(head, [_recurs(each, style) for each in found.recurring])


def _part(head: str, lines: Sequence[str], total: int = 0) -> Part:
    """As many lines as there is room for; at least one."""
    kept: list[str] = []
    room = min(_ROOM, TEXT - len(head) - 30)
    for line in lines[:_MOST]:
        room -= len(json.dumps(_IN + line, ensure_ascii=False))
        if room < 0 and kept:
            break
        kept.append(line)
    return Part(head, tuple(kept), max(total, len(lines)) - len(kept))


def _title(found: Weekly) -> str:
    year, number = found.week.split("-W")
    return f"Incidents of week {int(number)}, {year}" + (", so far" if found.running else "")


def _days(found: Weekly) -> str:
    return f"{found.monday:%Y-%m-%d} to {found.sunday:%Y-%m-%d}, {found.timezone}; without private incidents"


def _count(incidents: int) -> str:
    return "1 incident" if incidents == 1 else f"{incidents or 'no'} incidents"


def _waits(found: Weekly) -> str:
    """What is still open, in short."""
    said = [f"{found.open_actions or 'no'} follow-up{'s' * (found.open_actions != 1)}"]
    said += [f"{found.late_actions} of them overdue"] if found.late_actions else []
    said += [f"postmortems: {_papers(found.postmortems)}"] if found.postmortems else []
    return ", ".join(said)


def _counts(found: Weekly, style: Style) -> str:
    """Each severity beside the week before."""
    this, before = found.this, found.before
    severities = sorted({*this.by_severity, *before.by_severity})
    said = [
        f"{each.upper()} {_beside(this.by_severity.get(each, 0), before.by_severity.get(each, 0))}"
        for each in severities
    ]
    head = f"{style.strong(_count(this.incidents))}, the week before {before.incidents}"
    lines = [" · ".join([head, *said])]
    if this.drills or before.drills:
        lines.append(f"Drills, which count nowhere else: {_beside(this.drills, before.drills)}")
    return "\n".join(lines)


def _beside(this: int, before: int) -> str:
    return f"{this} (before {before})"


def _noticed(by: Mapping[str, int], style: Style) -> str:
    named = [f"{_said(who, _TITLE, style)} {count}" for who, count in list(by.items())[:_NAMED]]
    left = sum(list(by.values())[_NAMED:])
    return " · ".join([*named, *([f"others {left}"] if left else [])])


def _times(minutes: Mapping[str, Spread], style: Style) -> Iterator[str]:
    for name, each in minutes.items():
        if not each.of:
            yield (
                f"{name}: unknown of all {each.unknown}"
                if each.unknown != 1
                else f"{name}: unknown"
            )
            continue
        p90 = f", 90th percentile {span(each.p90)}" if each.p90 is not None else ""
        left = f", unknown of {each.unknown}" if each.unknown else ""
        yield f"{name}: median {style.strong(span(each.median))}{p90}, of {each.of}{left}"


def _long(each: Long, style: Style) -> str:
    lasted = f"{'goes on for ' if each.going else ''}{span(each.minutes)}"
    return f"{style.incident(each.number)} {each.severity.upper()} {_said(each.title, _TITLE, style)}: {lasted}"


def _said(text: str, most: int, style: Style) -> str:
    """What somebody wrote, on one line; a backtick would make code of what follows."""
    line = " ".join(text.replace("`", "'").split())
    return style.plain(cut("".join(c for c in line if c.isprintable() or c in _JOINERS), most))


def _papers(papers: Sequence[Due]) -> str:
    """``1 overdue, 2 due, 1 in review``; what is in review has a day as well, or none."""
    late = sum(each.late for each in papers)
    reviewed = sum(each.state == "in review" and not each.late for each in papers)
    counts = {"overdue": late, "due": len(papers) - late - reviewed, "in review": reviewed}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _paper(each: Due, style: Style) -> str:
    said = each.state
    if each.due_at is not None:
        day = f"{each.due_at:%Y-%m-%d}"
        said += f", {style.strong(f'overdue since {day}')}" if each.late else f", due by {day}"
    page = "/postmortem" if each.state != "not drafted" else ""
    return f"{style.incident(each.number, page)} {_said(each.title, _TITLE, style)}: {said}"


def _actions(found: Weekly, style: Style) -> Part:
    head = f"{style.strong('Open follow-ups')}: {found.open_actions}"
    head += f", {found.late_actions} overdue" if found.late_actions else ""
    ages = [f"{age} {count}" for age, count in found.actions_by_age.items() if count]
    head += f" ({', '.join(ages)}), the oldest first"
    return _part(head, [_action(each, style) for each in found.oldest_actions], found.open_actions)


def _action(each: Open, style: Style) -> str:
    late = f", {style.strong('overdue')}" if each.late else ""
    ticket = f" · {_ticket(each, style)}" if each.url else ""
    return f"{style.incident(each.incident)} {_said(each.text, _TEXT, style)}: {_aged(each.days)}{late}{ticket}"


def _aged(days: int) -> str:
    return {0: "new", 1: "1 day old"}.get(days, f"{days} days old")


def _ticket(each: Open, style: Style) -> str:
    name, url = _said(each.ticket or "its ticket", 60, style), style.plain(each.url)
    leads = len(url) < _URL and url.isprintable() and LINKABLE.fullmatch(url)
    return style.link(url, name) if leads else name


def _recurs(each: Recurring, style: Style) -> str:
    named = [
        f"{style.incident(n)} {_said(title, _SHORT, style)}" for n, title in each.incidents[:_NAMED]
    ]
    left = len(each.incidents) - _NAMED
    more = [f"{left} more"] if left > 0 else []
    what = _said(each.title, _TITLE, style)
    return f"{style.strong(what)}, {len(each.incidents)} times: {', '.join([*named, *more])}"
