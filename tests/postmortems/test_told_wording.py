"""A second round of sentences, written after `test_told_sentences` and first looked at when that was green.

Of these 176 a third (57) were read wrongly at first look; words and rules were widened from them. How a stranger
tells it next will be read about as well: the first figure is the one to expect.
"""

import pytest

from bot.postmortems.told import entries_of, tells_of_lost_data
from tests.postmortems.outages import outage
from tests.postmortems.test_told_sentences import read

SOURCES = {
    "machine": (
        "Prometheus alert KubePodCrashLooping for checkout",
        "Uptime monitor texted the on-call",
        "Our SLO burn-rate alarm went off",
        "Site24x7 marks the portal as down",
        "SNMP trap from the core switch shows up in the NOC console",
        "Dead man's switch triggers",
        "The cron watchdog mails the list that no job ran",
        "A Grafana alert lands in #ops",
        "Error budget alert wakes Tomasz",
        "Smoke test after the deploy fails",
        "Kubernetes reports OOMKilled for all pods and PagerDuty rings",
        "Reconciliation job finds 400 differences and opens a ticket",
        "Temperature sensor in row C goes over 40 degrees",
        "Fire panel signals smoke in hall 2",
        "The bank's fraud system blocks all cards and raises an alert",
    ),
    "staff": (
        "Somebody in the office says the wiki is down",
        "A trader on the desk shouts that prices stand still",
        "The night nurse rings the IT hotline",
        "Colleagues from sales ask in chat whether the CRM is slow",
        "The on-call doctor reports that lab results are missing",
        "Hotel guests cannot open doors and call reception",
        "Drivers call the dispatch centre as the app shows nothing",
        "Engineer on shift notices the queue length on the wall screen",
        "DBA sees replication lag while doing other work",
        "The developer who deployed watches the error graph and sees it jump",
        "Service desk gets first calls from wards",
    ),
    "customer": (
        "Support sees a spike of tickets",
        "Complaints pile up on Twitter",
        "Clients ring the sales team",
        "Users in forum say login broken",
        "A journalist tweets a screenshot of the error page",
        "Our community manager points to angry posts on Reddit",
        "Partner bank phones because files are late",
        "First users phone in",
        "A ticket from a customer is escalated by second level",
    ),
}

TAKEN_UP = {
    True: (
        "Tomasz acked from his phone",
        "pager ack'd by the SRE",
        "Maria is on it",
        "on it - K.",
        "Duty admin logs in and starts to look",
        "Two engineers get on the call",
        "We start an investigation",
        "Network on-call responds",
        "first responder joined 4 min later",
        "The incident manager takes over",
        "The storage team takes over",
        "Ola has the pager and says looking",
        "The case is assigned to the database team",
        "The technician on duty accepts the alarm",
    ),
    False: (
        "Servers take over the load",
        "The site is taken offline",
        "Page is sent again",
        "The alert fires a second time",
        "Standby joined the cluster",
    ),
}

DECLARED = {
    True: (
        "SEV1 called",
        "Sev 2 opened by the duty lead",
        "Major incident bridge started",
        "An incident room is opened in Teams",
        "Priority 1 incident raised",
        "P1 raised",
        "Code red is declared",
        "Crisis unit activated",
        "Emergency response team activated",
        "IT emergency declared by the board",
        "Incident commander appointed",
        "Incident channel #inc-22 created",
        "MIM process kicked off",
        "Disaster is declared",
        "The bridge is up",
        "Zoom war room started",
        "Conference bridge is set up with all teams",
        "We go to sev1",
        "upgraded from sev3 to sev1",
        "Management declares the emergency",
    ),
    False: (
        "An alert is raised",
        "Ticket opened with the vendor",
        "The valve is opened",
        "A bridge to the VLAN is configured",
    ),
}

DIAGNOSED = {
    True: (
        "hypothesis: The primary has lost its disk, iostat shows zero",
        "hypothesis: Aha, the feature flag was inverted",
        "action: Strace on one worker shows it blocked on DNS",
        "detection: The new certificate lacks the intermediate",
        "action: git bisect points at the commit of Tuesday",
        "detection: Root cause: leap year bug in date parser",
        "detection: Found it: NTP server jumped by a year",
        "detection: The error was in the load balancer rule of the morning",
        "action: Network team locates the loop between two access switches",
        "hypothesis: The kernel bug of May has come back with the new image",
        "detection: Packet capture proves that the firewall drops the answers",
        "detection: The vendor confirms a defect in firmware 4.2",
        "action: After reading the audit log we know who deleted the records",
        "detection: DNS records for the zone are missing since the 09:00 change",
        "decision: As the deployment at 14:02 is the only change, we roll it back",
        "detection: They discover that a firewall rule was pushed at 02:00",
        "detection: The problem is traced back to a faulty SFP",
        "action: Reading the diff, Jan sees the missing comma",
        "communication: The cause has been identified as a misconfigured router",
    ),
    False: (
        "hypothesis: DDoS? traffic is high",
        "hypothesis: We blame the ISP first",
        "hypothesis: Network is checked, nothing found",
        "hypothesis: First theory: a bad deploy",
        "hypothesis: Team looks at the database, CPU is normal",
        "action: Logs are collected",
        "action: Rollback of the release is tried, no change",
        "decision: We decide to restart all pods",
        "hypothesis: Could be DNS again",
        "hypothesis: Everyone thinks of the deploy at noon, but its rollback changes nothing",
        "action: Engineers find that the restore will need ten hours",
        "hypothesis: The firewall team says it is not them",
        "communication: The cause is being investigated",
        "action: The vendor is asked for the reason",
    ),
}

FULL = {
    True: (
        "Service restored",
        "All green",
        "Queue drained, everybody can log in",
        "Latency back under 200 ms",
        "Trains run again on all lines",
        "The portal answers as before",
        "Normal operations resumed",
        "Operations resume normally",
        "Business as usual since 14:00",
        "Checkout works for 100 percent of customers",
        "Transactions clear again, the last of the backlog went out",
        "Error rate zero for half an hour",
        "First normal day",
    ),
    False: (
        "Two of three sites are back",
        "Service is restored for EU, US follows",
        "Most features work",
        "Login works, payments do not yet",
        "Still slow but usable",
        "90% of pods ready",
        "Degraded mode",
        "Emergency mode with paper lists ends for the wards, lab follows",
        "Traffic returns slowly",
        "Back for a part of the users",
        "Only reads work",
        "Search returns, uploads remain off",
        "Recovery of the first region",
        "A handful of customers is still affected",
        "Service limps along",
    ),
}

CLOSED = {
    True: (
        "Incident closed after review",
        "The P1 is closed",
        "Incident record closed by the duty manager",
        "We call it closed",
        "Incident is over and closed",
        "The major incident was stood down",
        "Ticket closed",
    ),
    False: (
        "Circuit breaker closed again",
        "The branch is closed",
        "Root cause still open, case not closed",
    ),
}

LOSSES = {
    True: (
        "About 300 orders were lost",
        "Two hours of telemetry are missing for good",
        "The photos of 900 users are gone",
        "Data entered between 08:00 and 09:12 is lost",
        "Three days of measurements have to be repeated",
        "We lost 6 hours of commits",
        "Customers must re-upload their documents",
        "No message was lost",
        "All mails are delivered, none is missing",
        "RPO of 15 min was met, no loss",
        "95 percent of the files could be saved",
        "Some messages were delivered twice",
        "214 entries of the ledger were corrected by hand",
        "Backups of the 3rd are loaded, everything after that is gone",
        "Records from before March cannot be rebuilt",
    ),
    False: (
        "We lost the link to Paris",
        "All time is lost with waiting",
        "Readers miss the news",
        "The VM is gone from the inventory",
        "It is checked whether data was lost",
        "Access to the records is lost",
    ),
}

IMPACT = {
    3: (
        "10:00 trigger: Release goes out\n10:03 symptom: A warning in the log, nobody affected\n10:09 symptom: Logins fail",
        "10:00 trigger: Firmware is installed\n10:05 symptom: Internal alarms only, customers do not notice\n10:30 symptom: Calls drop",
    ),
    2: (
        "10:00 symptom: Planned maintenance begins, page says so\n11:00 symptom: Maintenance does not end in time, users wait",
        "10:00 trigger: Primary fails\n10:00 symptom: Writes stop",
        "10:00 trigger: A config is pushed\n10:02 detection: Alert on 5xx above 10 percent\n10:05 symptom: Support gets calls",
    ),
    1: ("10:00 trigger: Power fails in hall 1\n10:04 symptom: Sites are down",),
}


def pairs(table):
    """(sentence, what is read of it)."""
    return [(sentence, wanted) for wanted, sentences in table.items() for sentence in sentences]


@pytest.mark.parametrize(("sentence", "wanted"), pairs(SOURCES))
def test_who_noticed(sentence, wanted):
    assert read(f"10:00 symptom: White\n10:05 detection: {sentence}").detected.source == wanted


@pytest.mark.parametrize(("sentence", "wanted"), pairs(TAKEN_UP))
def test_who_took_it_up(sentence, wanted):
    found = read(f"10:00 symptom: White\n10:05 action: {sentence}").acknowledged
    assert (found.seq == 2) is wanted


@pytest.mark.parametrize(("sentence", "wanted"), pairs(DECLARED))
def test_declared(sentence, wanted):
    found = read(f"10:00 symptom: White\n10:05 action: {sentence}").declared
    assert (found.seq == 2) is wanted


@pytest.mark.parametrize(("row", "wanted"), pairs(DIAGNOSED))
def test_diagnosed(row, wanted):
    told = (
        f"10:00 symptom: White\n10:02 detection: Alert fires\n10:20 {row}\n10:50 recovery: All load"
    )
    assert (read(told).diagnosed.seq == 3) is wanted


@pytest.mark.parametrize(("sentence", "wanted"), pairs(FULL))
def test_full(sentence, wanted):
    found = read(
        f"10:00 symptom: White\n10:30 recovery: {sentence}\n12:00 recovery: Done"
    ).mitigated
    assert (found.seq == 2) is wanted


@pytest.mark.parametrize(("sentence", "wanted"), pairs(CLOSED))
def test_closed(sentence, wanted):
    found = read(f"10:00 symptom: White\n10:30 recovery: Up\n11:00 note: {sentence}").closed
    assert (found.seq == 3) is wanted


@pytest.mark.parametrize(("sentence", "wanted"), pairs(LOSSES))
def test_lost(sentence, wanted):
    assert tells_of_lost_data(entries_of(outage(f"10:00 symptom: {sentence}"))[0]) is wanted


@pytest.mark.parametrize(("rows", "wanted"), pairs(IMPACT))
def test_impact(rows, wanted):
    assert read(f"{rows}\n18:00 recovery: Done").impact_start.seq == wanted
