"""How operators, vendors, managers and people who write in a second language say a mark: sentence → what is read of it."""

import pytest

from bot.postmortems.marks import clock, ordered
from bot.postmortems.patterns.match import resemble
from bot.postmortems.told import entries_of, tells_of_lost_data
from tests.postmortems.outages import outage


def read(lines, org=""):
    """The clock of a short told outage."""
    return clock(ordered(entries_of(outage(lines, org=org))))


NOTICED = {
    "machine": (
        "External probes in three countries raise a priority one alarm", "An outside monitor pages us for error rates",
        "Our third-party uptime check goes red", "Nagios reports 300 hosts unreachable", "Icinga turns red from top to bottom",
        "Sentry fills with null pointer exceptions", "Checkmk flags both load balancers", "Pingdom reports the shop as down",
        "The rollout tool compares error ratios and halts the next wave", "The gateway check reports errors on node 3",
        "Phones begin to ring and the monitoring turns red at the same time", "First calls come in together with the disk alarm",
        "Disk alarm and a call of the gate supervisor reach the desk together", "On-call is paged for 5xx above two percent",
        "pager: queue depth over 10k", "The operations team was alerted within two minutes", "A synthetic login fails and wakes up the duty engineer",
        "The array sends a hardware alarm to the vendor and to us", "Customer API error alarm fires", "Batch deadline alert wakes the duty engineer",
        "The nightly consistency check reports missing rows", "Dashboards go red, alarm to the duty phone",
        "Automated ticket raised by the storage array", "The health check marks all backends as down", "Watchdog restarts the process for the fifth time and mails the team",
    ),
    "customer": (
        "A customer tweets that the map is frozen", "Customer care has 300 mails of angry subscribers", "Merchants call the hotline",
        "First support tickets arrive from customers", "Users report on the forum that they cannot log in", "Passengers complain at the counters",
        "The contact centre sees a rise of calls from citizens", "No alert fires; customers phone us", "Our biggest client writes that exports are empty",
        "Customers report it before any alarm", "Players on social media ask whether ranked is down", "A bank calls about missing codes and complains",
        "Customers complain; ten minutes later the alarm fires as well", "A customer alerts us to empty invoices",
    ),
    "staff": (
        "OCC reports the planning systems offline", "The NOC observes traffic fall by 97 percent", "A nurse phones the service desk because no images open",
        "Helpdesk queue goes from 4 to 260 tickets, all sites", "The service desk records 140 calls within a quarter of an hour",
        "An archivist cannot open any tape and raises a ticket", "Bridge opened after crew control reports the systems gone",
        "Checkout team notices duplicate numbers in the error tracker", "The team was watching the load graph and sees the servers saturate",
        "An engineer sees the replica count fall", "Employees in two offices call IT, nothing opens", "Store managers phone the helpdesk",
        "An accountant remarks that the reserves are nil and informs the data office", "A colleague raises the alarm in chat",
        "The shift leader walks past the screens and finds them frozen", "Warehouse staff call support as scanners are dead",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), [(s, t) for s, all_ in NOTICED.items() for t in all_])  # fmt: skip
def test_through_whom_it_was_noticed(source, sentence):
    found = read(f"10:00 symptom: Pages stay white\n10:05 detection: {sentence}").detected
    assert (found.seq, found.source) == (2, source)


@pytest.mark.parametrize("sentence", [
    "Netwatch reports loss of our routes", "Outside observers confirm it", "BBC reports that the bank is down",
    "Independent researchers see the prefixes vanish", "Downdetector shows thousands of reports",
])  # fmt: skip
def test_outsiders_are_not_the_own_detection(sentence):
    found = read(f"10:00 symptom: Pages stay white\n10:05 detection: {sentence}").detected
    assert (found.at, found.source) == (None, "third-party")


DETECTED = """
    10:00 trigger: A certificate of the gateway runs out
    10:01 symptom: No client gets a connection
    10:20 {}
    10:50 detection: The expired certificate is identified as the cause
    11:00 recovery: All clients are connected again
    """


@pytest.mark.parametrize(("row", "seq"), [
    ("access: Staff at the operations centre lose the management network", 3),
    ("access: We cannot log in to the routers", 3),
    ("communication: We are aware of an issue and are working to resolve it", 3),
    ("communication: Our teams are investigating", 3),
    ("hypothesis: We suspect the carrier", 3),
    ("action: We roll the last release back", 3),
    ("action: The on-call engineer restarts the gateway", 3),
    ("decision: We block all traffic to the region", 3),
    ("action: The cluster manager promotes a replica", 4),
    ("action: The autoscaler removes half of the fleet", 4),
    ("communication: The newsletter of the month is sent", 4),
    ("note: It is a holiday", 4),
])  # fmt: skip
def test_people_who_were_at_work_had_noticed(row, seq):
    """The first act against it is the latest moment of the detection, and it says so."""
    found = read(DETECTED.format(row))
    assert found.detected.seq == seq
    assert ("at work on it by then" in found.detected.basis) is (seq == 3)
    assert found.diagnosed.seq == (4 if seq == 3 else None)


TAKEN = (
    "on-call acks it after a minute", "ack by @dario", "@lena picks it up", "Sabine takes the lead", "The page is acknowledged from home",
    "Duty engineer takes the call", "Operations engineer joins the bridge", "The team begins to investigate", "Engineers start looking",
    "SRE was triaging within two minutes", "The duty manager assumes command", "The ticket is picked up by the network team",
    "Second level answers the page", "Our DBA comes online and looks into it", "An investigation was opened", "the network colleague took it",
    "I am on it", "Storage team responds to the alarm", "Operator on duty is paged and joins", "Anna leads the response",
)  # fmt: skip
NOT_TAKEN = (
    "Front-ends need a restart to pick up the old value", "Clients pick up new flags within seconds", "Nodes joined the cluster one by one",
    "The replica takes over as primary", "Nobody acknowledges the page", "Servers are restarted", "The change is taken back",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["action", "detection"])
@pytest.mark.parametrize(("sentence", "is_it"), [*((t, True) for t in TAKEN), *((t, False) for t in NOT_TAKEN)])  # fmt: skip
def test_somebody_takes_it_up(kind, sentence, is_it):
    found = read(f"10:00 symptom: Pages stay white\n10:05 {kind}: {sentence}").acknowledged
    assert (found.seq == 2) is is_it


DECLARES = (
    "The duty engineer opens a bridge", "Bridge opened, all teams called", "we call the incident", "A major incident is declared",
    "Major incident raised with the provider of the platform", "P1 incident is opened", "The crisis team convenes", "Crisis staff was called together", "We declare an outage",
    "Incident call created", "On-call opens a war room", "The major incident process is started", "Standard incident protocol was engaged",
    "The incident is escalated to SEV1", "Management invokes the emergency plan", "A conference call is set up", "Declared a SEV-2 incident",
    "Severity 1 declared", "Opened an incident in the tracker", "The emergency committee meets for the first time", "Incident INC-4711 is opened",
    "The ticket is upgraded to priority 1", "We raised an incident",
)  # fmt: skip
NOT_DECLARED = (
    "The incident is declared resolved", "Nobody declared an incident", "We declare the variable anew", "The crisis is over",
    "External probes raise a priority one alarm", "The shop is opened again", "No incident was opened at that time", "The team meets for lunch",
)  # fmt: skip


@pytest.mark.parametrize(("sentence", "is_it"), [*((t, True) for t in DECLARES), *((t, False) for t in NOT_DECLARED)])  # fmt: skip
def test_it_is_declared(sentence, is_it):
    found = read(f"10:00 symptom: Pages stay white\n10:05 action: {sentence}").declared
    assert (found.seq == 2) is is_it


CLOSES = (
    "The incident is closed", "Success rate is normal, incident closed", "We close the incident", "INC-4711 was closed", "The case is formally closed",
    "Teams stand down", "The all-clear is given", "The incident has been officially closed", "Bridge closed",
)  # fmt: skip
NOT_CLOSED = ("The shop is closed for the day", "The incident is declared resolved", "The incident is not closed yet", "Connections are closed")  # fmt: skip


@pytest.mark.parametrize("kind", ["recovery", "note", "communication"])
@pytest.mark.parametrize(("sentence", "is_it"), [*((t, True) for t in CLOSES), *((t, False) for t in NOT_CLOSED)])  # fmt: skip
def test_it_is_closed(kind, sentence, is_it):
    found = read(f"10:00 symptom: White\n10:30 recovery: All pages load\n11:00 {kind}: {sentence}")
    assert (found.closed.seq == 3) is is_it


FOUND = (
    "action: Priya reads the audit log and finds the change of the pricing team", "detection: It turns out that the pool was never given back",
    "action: We trace it to a rule that was published at nine", "detection: The reason is a licence that ran out at midnight",
    "detection: An unplanned update is identified as the cause", "detection: The cause is a full partition", "detection: Cause: a loop in the route map",
    "action: Engineer attaches an analyser and sees the reject cause in the answers", "detection: The root cause is confirmed as the thread limit",
    "detection: We've determined that an expired certificate keeps users out", "hypothesis: Both servers are taking writes",
    "hypothesis: The allow rule was missing in the new set", "hypothesis: Somebody spots too many open files in the log of the broker",
    "hypothesis: The lock view shows the statement job holding the ledger table", "detection: The team links the missing sites to the maintenance script",
    "detection: The memory leak in the agent was isolated", "hypothesis: Graph by version makes it plain, only the new pods throw it",
    "hypothesis: The database is the bottleneck, all 400 connections are used up", "action: The vendor's logs reveal that the firmware hangs",
    "detection: It becomes clear that the proxy drops the header", "detection: A missing filter is established as the cause",
    "detection: The culprit is an index that was dropped on Friday", "action: The DBA finds out why: the statistics are empty",
    "detection: It comes down to one wrong character in a template", "detection: Fault located in a fibre amplifier",
    "action: Looking at the diff we see that the sign was flipped", "detection: A look at the file shows a missing comma", "detection: Analysis of the dump shows a deadlock",
    "action: Bisecting leads us to commit 4f2c", "detection: The fault lies in the new firmware", "detection: Problem is in the new driver of the network cards",
    "hypothesis: Confirmed: clocks are three minutes apart", "communication: We have identified the issue and a fix is being implemented", "communication: The root cause is found, a patch is on its way",
    "detection: Now we know why: the key was rotated twice", "detection: It was noticed that two jobs write the same file", "hypothesis: The timeout is 3 seconds in one site and 30 in the other",
    "detection: Provider's report names a cut fibre as the reason", "action: Core dump is read and gives away a null pointer in the parser, which is the cause",
    "decision: The switch is found to be dropping frames, so we take it out", "hypothesis: audit trail shows the admin pressed delete himself",
)  # fmt: skip
NOT_FOUND = (
    "hypothesis: The supplier is called in on the assumption that the upgrade is to blame", "hypothesis: First guess is the mobile network",
    "hypothesis: maybe the CDN caches the error", "hypothesis: We believed degraded hardware to be the reason", "hypothesis: Suspicion fell on the payments provider",
    "hypothesis: cluster is green, so the command is ruled out", "hypothesis: Could it be the exit poll?", "hypothesis: Perhaps the load balancer",
    "action: Restarted the game servers so they all point to the first site", "action: Top talkers were isolated to dedicated devices",
    "detection: The provider confirms that the objects cannot be brought back", "decision: We conclude that the rebuild is complex",
    "action: We find a way to restore in parallel", "action: The last good backup is found to be empty", "detection: The cause is not known yet",
    "detection: The cause is still unknown", "action: We search for the cause", "action: The fix is confirmed to work", "hypothesis: Team thinks it was the release",
    "hypothesis: It is assumed that the disk is full", "action: Two teams are identified to help",
    "communication: We are looking for the cause", "communication: The incident is confirmed by the provider", "communication: We apologise for the trouble that was caused by the outage",
    "action: The team confirms that all rows are there", "detection: Second site is found to be healthy", "hypothesis: it seems that the queue is fed twice",
    "action: An older copy is found on a laptop", "detection: A query shows that 2,000 of 6,900 machines are wiped", "action: Somebody finds an old printout with the addresses",
    "action: We find the newest good job from May", "detection: The network is found to be in order", "action: The customer finds them complete", "hypothesis: We found no errors in the log of the switch",
    "decision: The cause is narrowed to a few candidates", "hypothesis: We first look at the database, since it looks like locks",
)  # fmt: skip


@pytest.mark.parametrize(("row", "is_it"), [*((t, True) for t in FOUND), *((t, False) for t in NOT_FOUND)])  # fmt: skip
def test_what_had_failed_is_found(row, is_it):
    found = read(f"10:00 symptom: White\n10:02 detection: Alert fires\n10:20 {row}\n10:50 recovery: All pages load")  # fmt: skip
    assert (found.diagnosed.seq == 3) is is_it


@pytest.mark.parametrize(("rows", "seq"), [
    (["hypothesis: The viewer upgrade is at fault", "hypothesis: Lights point to the storage and not to the viewer upgrade"], 4),
    (["hypothesis: The new release eats the memory", "hypothesis: The release is ruled out, memory is the same on old pods"], None),
    (["detection: The cause is narrowed to a few candidates", "detection: The root cause is confirmed as the thread limit"], 4),
    (["action: Engineers find that a service did not start", "detection: The update is identified as the cause"], 4),
    (["detection: The update is identified as the cause", "action: We find the hosts that lack it"], 3),
])  # fmt: skip
def test_the_surest_finding_that_was_not_taken_back(rows, seq):
    told = "\n".join(f"10:{20 + i} {row}" for i, row in enumerate(rows))
    found = read(f"10:00 symptom: White\n10:02 detection: Alert fires\n{told}\n10:50 recovery: All pages load")  # fmt: skip
    assert found.diagnosed.seq == seq


FULL = (
    "All impacted customers have been restored, with at most five minutes of data missing", "Full service was resumed", "The site is fully functional again",
    "All channels are on air again, with the first half already over", "Names resolve again everywhere, most services come back without doing anything",
    "Selection works and no pod has been restarted for some minutes", "The API has recovered from the first period of degraded performance",
    "Normal service for every customer", "Error rates are back to normal after several hours", "Everything is up, we are still monitoring",
    "The system was restored and plants resumed normal shifts", "Service is back at usual levels", "Payment success rate is at 97 percent, as on any day",
    "The last store sells again by card", "Recovered by itself", "The backlog is empty and mail flows without delay", "Service restored without loss",
)  # fmt: skip
PARTIAL = (
    "Nearly all volumes work again", "Services are back for the vast majority of customers", "Core services are available, with residual trouble in one product",
    "Most users can sign in", "Some users are back", "Traffic is recovering", "First customers are back", "Half of the stores can sell again",
    "Storage is back in all regions, while a small number of machines still needs work", "About 80 percent of the sites are reachable", "Almost everything works",
    "The service is back in read-only mode", "Messages can be sent, but search is still missing", "All regions except one are up", "Error rate improves",
    "The network began to come back", "Several offices are online again", "Partial service", "Service is up, apart from exports", "Not all sites answer yet",
    "Up again with limited functions", "A portion of players can log in, the rest must wait",
)  # fmt: skip


@pytest.mark.parametrize(("sentence", "is_full"), [*((t, True) for t in FULL), *((t, False) for t in PARTIAL)])  # fmt: skip
def test_full_or_partial_recovery(sentence, is_full):
    found = read(
        f"10:00 symptom: White\n10:30 recovery: {sentence}\n12:00 recovery: Done"
    ).mitigated
    assert found.seq == (2 if is_full else 3)


@pytest.mark.parametrize(("rows", "seq"), [
    ("10:00 symptom: CPU climbs, players are not yet affected\n10:30 symptom: Nobody can log in", 2),
    ("10:00 symptom: Pages show the maintenance notice as announced\n10:10 symptom: One gateway answers with errors", 2),
    ("10:00 trigger: Thread count grows\n10:05 detection: Alarms fire for errors on all reads\n10:10 symptom: Logs stop", 2),
    ("10:00 trigger: A script is run\n10:04 detection: A customer reports that the site is gone\n10:20 symptom: 800 sites are deleted", 2),
    ("10:00 trigger: A disk burns\n10:02 detection: Fire alarm\n10:10 symptom: Down", 3),
    ("~10:00 trigger: The disk was full and the system stopped\n~16:00 symptom: Plants stand still", 1),
    ("~10:00 trigger: A rule is published\n~10:03 symptom: Plants stand still", 2),
    ("10:00 trigger: The provider starts returning 503\n10:07 symptom: Cards are declined", 1),
    ("10:00 symptom: No user notices anything at first\n10:02 symptom: Cards are declined", 2),
    ("10:00 symptom: Replica lags, without any effect on users\n10:02 symptom: Cards are declined", 2),
    ("10:00 symptom: Booking is closed for the planned maintenance\n10:40 symptom: Booking fails after the window", 2),
])  # fmt: skip
def test_where_the_impact_begins(rows, seq):
    assert read(f"{rows}\n18:00 recovery: All is well").impact_start.seq == seq


@pytest.mark.parametrize("rows", [
    "10:00 trigger: A rule is published\n-- symptom: Pages stay white\n10:30 detection: A customer reports it",
    "10:00 trigger: Game day, the database of the staging site is stopped on purpose\n10:05 detection: Alert fires",
    "~10:00 trigger: A power module fails\n-- symptom: Flights are late",
])  # fmt: skip
def test_a_beginning_that_no_row_proves_stays_unknown(rows):
    assert read(f"{rows}\n18:00 recovery: All is well").impact_start.at is None


@pytest.mark.parametrize(("row", "is_it"), [
    ("detection: The new certificate lacks the intermediate", True), ("detection: The police made contact to the same effect", False),
    ("detection: A second alert fires", False), ("detection: More customers complain", False), ("detection: Probably it is the disk", False),
])  # fmt: skip
def test_what_staff_see_at_work_is_a_finding(row, is_it):
    """A second detection that is no second alarm."""
    found = read(f"10:00 symptom: White\n10:02 detection: Alert fires\n10:20 {row}\n10:50 recovery: All pages load")  # fmt: skip
    assert (found.diagnosed.seq == 3) is is_it


@pytest.mark.parametrize(("rows", "mitigated", "resolved"), [
    ("10:20 action: We recycle the pool, and the errors ended\n10:40 recovery: Checks pass", 2, 3),
    ("10:20 action: She kills the script\n10:40 recovery: All servers are back", 3, 3),
    ("10:20 action: The flag is set to zero\n10:40 recovery: All carts work", 3, 3),
    ("10:20 action: Errors ended in one zone only\n10:30 symptom: Errors are back\n10:40 recovery: All is well", 4, 4),
    ("10:20 recovery: Graphs show full recovery\n10:30 symptom: A second spike is absorbed without user impact", 2, 2),
    ("10:20 recovery: Up\n10:30 symptom: Down again", 2, None),
])  # fmt: skip
def test_users_must_be_well(rows, mitigated, resolved):
    """An act that ends what went on is no mitigation; what users do not feel is no relapse."""
    found = read(f"10:00 symptom: White\n{rows}")
    assert (found.mitigated.seq, found.resolved.seq) == (mitigated, resolved)


ACTORS = (
    ("action", "The vendor engineer restarts controller B", "the vendor"), ("hypothesis", "Amber lights on controller B point to the storage", ""),
    ("action", "stopped all three sentinels so nothing is elected", ""), ("action", "Orchestrator declares the primary dead", "automation"),
    ("action", "An automated job puts the old profiles back", "automation"), ("action", "Engineers stop the scheduler", "responders"),
    ("symptom", "Every customer instance went offline", ""), ("symptom", "Customers cannot log in", "customers"),
    ("symptom", "Files of users are deleted", ""), ("action", "The autoscaler removes servers", "automation"), ("action", "Restart of the controllers is begun", ""),
    ("action", "We disable the cron job", "responders"), ("symptom", "The health checks fail everywhere", "automation"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "sentence", "actor"), ACTORS)
def test_who_acts(kind, sentence, actor):
    """Its subject, not what is acted upon, nor where it happens."""
    assert entries_of(outage(f"10:00 {kind}: {sentence}"))[0].actor == (actor or "not stated")


LOSSES = (
    "Work ends with 37 percent of the footage regained, the rest is lost for good", "About 3,100 drawings could not be found anywhere and must be drawn again",
    "site open again with data of 12 nov, week of grades to be re-entered by teachers", "The table is released with a completeness of 98.2 percent",
    "Logs are compared and 1,870 orders merged by hand", "whole gradebook db gone on all members", "410 terabytes of master recordings are expired",
    "Volume is back with state of 2 May", "rating changes of that time are thrown away", "77 TB and 34 million files were lost", "No data was lost",
    "Nothing was lost", "Customer checks and finds them complete with comments and files", "no booking is missing", "Service was restored without data loss",
    "883 sites had been permanently deleted", "Six hours of writes are gone for good", "Orders of the night must be entered by hand", "Invoices had to be keyed in again",
    "A third of the tapes is unreadable, about a third are readable", "All customers restored, with at most five minutes of data missing", "Row counts match on both sites",
    "Duplicates in the ledger were removed and corrected", "jobs of 212 users are lost", "An hour of orders could not be recovered", "data loss: none",
)  # fmt: skip
NO_LOSSES = (
    "Support marks the ticket urgent because of possible data loss", "The primary lost its quorum", "Two of five brokers are lost", "We fear that data is lost",
    "Power is lost in hall 2", "Packets are lost between the racks", "The connection to the database is lost", "Engineers lost access to the logs", "Revenue was lost",
    "We stop the writers so that no data is lost", "The cache is emptied", "Sales are down by a fifth", "The disk may be damaged and files lost",
)  # fmt: skip


@pytest.mark.parametrize(("sentence", "is_it"), [*((t, True) for t in LOSSES), *((t, False) for t in NO_LOSSES)])  # fmt: skip
def test_what_is_told_of_lost_data(sentence, is_it):
    row = entries_of(outage(f"10:00 symptom: {sentence}"))[0]
    assert tells_of_lost_data(row) is is_it


FACETS = (
    ("F1", "action: Servers are brought back slowly, a few hundred an hour", True), ("F1", "action: Users are let in gradually", True),
    ("F1", "action: Game servers were restarted in waves so they all point to the first site", False), ("F1", "action: Hosts restarted in batches to load the new list", False),
    ("F2", "communication: Updates go out on Twitter, as the status page is down", True), ("F2", "communication: The status page cannot be updated", True),
    ("F2", "symptom: Readers say on Twitter that articles do not open", False), ("F2", "recovery: Readers report on social media that articles open again", False),
    ("F2", "communication: Status page and app banner say that funds are safe", False), ("F2", "action: A banner in the shop hides the card form", False),
    ("F3", "access: Engineers cannot log in to the admin console", True), ("F3", "symptom: Our deployment system is down as well, so nothing can be rolled back", True),
    ("F3", "symptom: Every second login of a trader fails", False), ("F3", "detection: The pipeline compares both, fails the check and pages the owner", False),
    ("F3", "symptom: Services cannot fetch their credentials and return 503", False),
    ("F4", "trigger: The log volume reaches 100 percent", True), ("F4", "trigger: Two brokers run out of file handles", True), ("F4", "symptom: The disk is full", True),
    ("F4", "detection: All connections of the pool are in use, the limit of 400 is used up", True), ("F4", "trigger: The licence of the node ran out at midnight", True),
    ("F4", "detection: Insufficient disk space on the master", True), ("F4", "trigger: A full restart of the fleet is begun", False), ("F4", "action: The service is in full operation", False),
    ("F6", "trigger: Our acquirer has an outage", True), ("F6", "trigger: The payment provider returns 503 to all merchants", True), ("F6", "trigger: Two subsea cables are cut", True),
    ("F6", "trigger: At a cloud provider's zone, latency rises to 90 ms", True), ("F6", "detection: The array sends an alarm to the vendor", False),
    ("F6", "trigger: A vendor's firmware update is installed by us", False), ("F6", "symptom: Customers call, and we inform our provider", False),
)  # fmt: skip


@pytest.mark.parametrize(("facet", "row", "is_it"), FACETS)
def test_facets(facet, row, is_it):
    """Each on the row that shows it, and not on one that only has its words."""
    lines = f"10:05 {row}"
    before = "" if row.startswith("trigger") else "10:00 trigger: A switch hangs\n"
    rows = ordered(entries_of(outage(f"{before}10:01 symptom: Pages stay white\n10:02 detection: Alert fires\n{lines}")))  # fmt: skip
    if row.startswith("trigger"):
        rows = ordered(entries_of(outage(f"10:00 {row}\n10:01 symptom: Pages stay white")))
    found = {each.text.id for each in resemble(rows, clock(rows)).facets}
    assert (facet in found) is is_it
