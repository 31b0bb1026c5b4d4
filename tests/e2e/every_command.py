"""Every command that can be typed, in an order that makes sense, and what answers it.

One walk through an incident, taken on each surface. A verb that is in no line of it is missing.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """``typed`` by ``who``; the answer matches ``answer``.

    Where there are blocks, Slack has a line for notifications beside them, and the console has not.
    """

    typed: str
    answer: str
    who: str = "ana"

    @property
    def verb(self) -> tuple[str, str]:
        """``("incident", "declare")``."""
        name, _, rest = self.typed.removeprefix("/").partition(" ")
        return name, rest.split()[0]

    def fits(self, text: str) -> bool:
        """Whether it was answered so."""
        return re.search(self.answer, text) is not None


WALK = (
    Line("/incident help", "opens an incident and its channel"),
    Line("/incident declare sev3 The blog is slow", r"Incident 2 \(sev3\) is declared"),
    Line("/incident list", r"#2\b.*The blog is slow"),
    Line("/incident search blog slow", r"#2\b.*The blog is slow"),
    Line("/incident similar #2", "No past incident is enough like #2"),
    Line("/incident digest", r"Incidents of week \d+, \d{4}"),
    Line("/incident status", r"#1 sev1, declared"),
    Line("/incident severity sev2", "#1 is sev2 now"),
    Line("/incident lead", "You are commander of #1"),
    Line("/incident this", "#1 sev2, investigating|SEV2 · The shop is down"),
    Line("/incident catchup", "Where #1 stands|#1 sev2, investigating"),
    Line("/incident role ops <@U0BEN00002|ben>", "operations lead of #1"),
    Line("/incident handover", "The note is in the channel"),
    Line("/incident task Call the vendor by in 20m", "Task 1 of #1: open|⬜ 1 Call the vendor"),
    Line("/incident followup Write it down", "Follow-up 2 of #1: open|⬜ 2 Write it down"),
    Line("/incident tasks", "#1 has 2 open tasks|⬜ 2 Write it down"),
    Line("/incident decide Wait because it heals by itself", "The decision is on the timeline"),
    Line("/incident link https://call.example.com The call", "The link is kept with #1"),
    Line("/incident service add shop", "#1 affects"),
    Line("/incident rename The shop is gone", "is called 'The shop is gone' now"),
    Line("/incident private off", "#1 is not private"),
    Line("/incident postmortem", "is drafted when it is resolved"),
    Line("/incident export", "come into this channel|export.md · export.json · export.csv"),
    Line("/incident drill Failover day", r"Drill 3 \(sev2\) is declared"),
    Line("/incident cancel #3", "#3 is cancelled"),
    Line("/incident reopen #3", "#3 is open again"),
    Line("/incident note It began with the deploy", "Noted on the timeline"),
    Line("/incident silence alertname=Other for 1h maintenance", "Silence 1 is set until"),
    Line("/incident silences", "alertname=Other"),
    Line("/incident unsilence 1", "ended"),
    Line("/incident merge #2 into #1", "#2.*The blog is slow"),
    Line("/incident unmerge", "not merged"),
    Line("/incident split", "alert"),
    Line("/incident join service=none", "No alert that fires outside #1 matches"),
    Line("/runbook help", "the runbooks there are"),
    Line("/runbook list", "move-traffic"),
    Line("/runbook search traffic", "move-traffic"),
    Line("/runbook plan move-traffic", "is being planned"),
    Line("/runbook run move-traffic", "is asked for"),
    Line("/runbook status", r"Move traffic to the standby"),
    Line("/runbook approve 1", "Move traffic"),
    Line("/runbook pause 1", "Move traffic|nothing to pause"),
    Line("/runbook resume 1", "not paused"),
    Line("/runbook override 1 we must", "nothing holds it back"),
    Line("/runbook break-glass 1 nobody is awake", "nothing holds it back"),
    Line("/runbook review 1 it was right", "There is nothing to review"),
    Line("/runbook refuse 1 not now", "refused|already"),
    Line("/runbook abort 1", "ended|abort"),
    Line("/runbook undo 1", "Move traffic"),
    Line("/access help", "which paths to which targets"),
    Line("/access status", "access paths are proven"),
    Line("/access whatif service:shop", "runbooks still run"),
    Line("/access drills", "drill"),
    Line("/access drill service:shop", "is under way"),
    Line("/incident oncall", "no on-call schedule"),
    Line("/incident page ana we need you", "paged|reached|notifier"),
    Line("/incident ack", "You have it|No page"),
    Line("/incident update We look into it next in 30m", "The update is out to internal"),
    Line("/incident correct We have looked into it", "The update is out to internal"),
    Line("/incident snooze update 1h", "are put off until"),
    Line("/incident clock gdpr start", "does not apply|catalog"),
    Line("/incident clocks", "there are no clocks"),
    Line("/incident resolve", "is resolved|still running"),
    Line("/incident close #3", "#3 is resolved, not closed"),
)
