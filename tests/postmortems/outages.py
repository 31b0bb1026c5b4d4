"""Outages in few lines, for the matcher: published ones beside our six, and the six patterns in other words.

A line is ``time kind: sentence``; ``~`` before a time is about, ``--`` is none. Our own words, short.
"""

import re

from bot.postmortems.casefile import Outage

_LINE = re.compile(r"(~?)(\d\d:\d\d(?:\+\d)?|--) (\w+): (.+)")


def outage(lines: str, title: str = "An outage", org: str = "") -> Outage:
    """Reads it; ``+1`` behind a time is the next day."""
    rows = []
    for line in filter(None, map(str.strip, lines.splitlines())):
        about, time, kind, event = _LINE.fullmatch(line).groups()
        day = 1 + int(time.partition("+")[2] or 0)
        utc = None if time == "--" else f"2024-05-{day:02}T{time[:5]}:00Z"
        rows.append({"utc": utc, "kind": kind, "event": event, "approx": bool(about)})
    return Outage.model_validate({"title": title, "org": org, "timeline": rows})


# name → (lines, patterns of which one must be first; "" is abstention)
HELD_OUT: dict[str, tuple[str, set[str]]] = {
    "crowdstrike-2024": ("""
        04:09 trigger: Content update with a defective channel file is released to all sensors world-wide, without a staged rollout
        04:09 symptom: Hosts everywhere crash with a blue screen and enter a boot loop
        04:15 detection: Customers report mass crashes to support
        05:27 action: The defective channel file is reverted
        -- symptom: Hosts that crashed cannot be repaired remotely
        -- action: Administrators visit machines and delete the file in safe mode, one after the other
        21:00+2 recovery: Most of the affected sensors are back online
        """, {"P4"}),
    "fastly-2021": ("""
        09:47 trigger: A customer pushes a valid configuration change which sets off a latent defect
        09:47 symptom: 85% of the network returns 503 errors
        09:48 detection: Monitoring shows the disruption within a minute
        10:27 detection: The customer configuration is identified as what sets it off
        10:36 action: The configuration is disabled
        10:41 recovery: Impacted services begin to recover
        12:35 recovery: The majority of services are as before
        """, {"P4"}),
    "atlassian-2022": ("""
        07:38 trigger: A script that deletes a retired app is run with the ids of whole sites instead of the ids of the app; 883 customer sites are deleted for good
        07:46 detection: First support ticket of a customer whose site is gone
        08:17 decision: Incident declared as critical
        -- symptom: Customers cannot be reached, since contact data and support access were deleted with the sites
        -- detection: Backups exist, yet no automation restores many sites into a shared environment
        -- action: Restoring the first batch of sites takes about 48 hours by hand
        20:00+8 recovery: All sites are restored
        """, {"P6"}),
    "roblox-2021": ("""
        20:37 symptom: Players cannot connect; the service discovery cluster has high CPU load on one server
        20:45 detection: An alert says that the cluster's write latency is high
        -- action: Hardware of the cluster is suspected and replaced, without effect
        -- symptom: The monitoring system depends on the cluster and telemetry is unavailable
        -- action: The cluster is reset from a snapshot of some hours before, and traffic held back
        -- detection: A new streaming feature is identified as a cause of the contention
        15:00+2 action: The streaming feature is disabled on all servers
        20:00+2 decision: Caches are empty, so players are let in gradually by percent
        22:00+2 recovery: All players can log in
        """, {"", "P1", "P4"}),
    "slack-2021": ("""
        14:00 symptom: Error rates rise as people return to work; packets are lost between networks of the cloud provider
        14:05 detection: Alerts fire for rising error rates
        14:12 symptom: Dashboards and the monitoring service are unavailable, since they are behind the same network
        14:30 symptom: Web servers are scaled down as they look idle, then up faster than they can be provisioned
        15:10 action: The provisioning service is repaired by hand
        15:40 recovery: Error rates are back to normal
        """, {"", "P1"}),
    "aws-2021": ("""
        15:30 trigger: Automated scaling of a service sets off a surge of connections on the internal network
        15:30 symptom: Devices between internal and main network are overloaded; retries keep the congestion going
        15:35 symptom: Internal monitoring is impaired, operators cannot see which devices are congested
        -- detection: Operators work from logs and find elevated internal DNS errors
        17:28 action: Internal DNS traffic is moved away from the congested paths
        -- symptom: The support portal cannot be updated, since it fails over to the impaired region
        22:22 recovery: Network devices are fully recovered
        """, {"", "P1"}),
    "ovh-2021": ("""
        00:40 trigger: A fire in a data centre destroys the servers and disks of one building and part of another
        00:47 detection: Fire alarm and monitoring raise alerts
        01:00 symptom: All sites hosted there are offline
        -- detection: Backups of many customers were in the same building and are lost
        -- decision: Customers are asked to start their recovery plans
        -- action: Rebuilding servers takes weeks
        12:00+9 recovery: The first of the other buildings is powered up again
        """, {"P6"}),
    "google-2019": ("""
        18:45 trigger: Maintenance automation runs with a wrong scope and deschedules network control jobs in several locations instead of one
        18:48 symptom: Network capacity of multiple regions is lost and traffic is congested; many services fail too
        18:52 detection: Alerts page the on-call engineers
        -- symptom: Engineers' own tools are slow or unreachable, as they share the congested network
        20:01 action: The automation is stopped and control jobs are started again
        22:19 recovery: Capacity is back
        """, {"P2", "P4"}),
    "knight-2012": ("""
        13:30 trigger: New trading code has been deployed by hand to seven of eight servers; the eighth runs old code behind a reused flag
        13:30 symptom: The eighth server sends millions of unintended orders
        13:31 detection: Traders notice unusual volume
        -- action: The new code is removed from the seven servers, which makes it worse
        14:15 action: All servers are switched off
        14:15 recovery: No more orders are sent
        """, {"", "P2", "P4"}),
    "azure-dns-2021": ("""
        21:21 symptom: A surge of queries meets a defect in the caches of the name servers and resolution degrades
        21:23 detection: Monitoring pages the on-call team
        22:00 recovery: The service mitigates itself and most regions recover
        22:30 recovery: All traffic is as before
        """, {""}),
    "google-quota-2020": ("""
        11:46 symptom: Sign-in fails with errors, as the quota of the identity service was reduced and the limit is exceeded
        11:46 detection: Automated alerts for capacity
        12:08 detection: Quota enforcement is identified as the cause
        12:27 action: Quota enforcement is disabled in one data centre
        12:32 recovery: Error rates are as before everywhere
        """, {"", "P4"}),
    "gocardless-2017": ("""
        15:09 trigger: The RAID controller of the primary database fails and its disks are lost
        15:09 symptom: The database is down and the API returns errors
        15:10 symptom: The cluster manager does not promote the synchronous standby, because of a rule that nobody had met before
        15:14 detection: Engineers are paged
        -- action: The cluster is put in maintenance mode and a standby is promoted by hand
        -- decision: Writes are kept safe rather than lost: the old primary stays off
        17:02 recovery: The API answers again
        """, {"P3"}),
    "stripe-2019": ("""
        16:36 symptom: Two nodes of a shard stall; the cluster is unable to elect a new primary and writes fail
        16:38 detection: Automated alerts page the database team
        -- detection: The election failed because of an upgrade three months before; topology of the shard is unexpected
        17:02 recovery: The cluster is restarted and some writes succeed
        21:13 symptom: Shards fail again after a configuration was rolled back
        22:47 recovery: API error rates are as before
        """, {"P3"}),
    "rogers-2022": ("""
        08:43 trigger: A route filter is removed from the configuration of the distribution routers during a planned network change
        08:58 symptom: Core routers are flooded with routes and go down; all mobile and wireline services are lost
        09:00 symptom: Staff cannot reach the management network, which depends on the same core
        -- symptom: Employees' own phones and VPN are down too
        -- action: Engineers travel to sites and get access with SIM cards of other carriers
        -- detection: The configuration change is identified as the cause
        -- action: Routers are started one by one and traffic is let back in gradually
        11:00+1 recovery: Services are back for most customers
        """, {"P5"}),
    "optus-2023": ("""
        17:05 trigger: Routing updates from an upstream provider exceed a preset limit of the routers after a software upgrade
        17:05 symptom: About 90 routers isolate themselves from the network; all services are lost nation-wide
        -- symptom: Remote access to the routers is lost, also the out-of-band path
        -- decision: Teams are sent to sites to reset routers in person
        23:30 recovery: Most of the services are restored
        """, {"P5"}),
    "joyent-2014": ("""
        20:13 trigger: An operator runs a command to reboot a few new hosts; the parameter is missing and all hosts of the data centre reboot at once
        20:14 symptom: All customer instances and several services of the region are down too
        20:15 detection: Monitoring alerts for the whole data centre
        -- symptom: Booting all nodes takes longer than expected, since the boot servers are overloaded
        21:00 recovery: Most instances are back, the rest wait for the boot servers
        21:30 recovery: All instances run
        """, {"P2"}),
    "film-1998": ("""
        10:00 trigger: Somebody runs rm -rf in the wrong directory and the files of the film are deleted
        10:01 detection: Animators notice that the data vanishes
        10:05 action: The machine is shut off
        -- detection: The backups are not usable: they failed for a month and nobody had looked
        -- action: A copy two weeks old is fetched from a colleague's home
        10:00+5 recovery: The data is restored
        """, {"P6"}),
    "gcp-2025": ("""
        17:45 trigger: A policy change with unintended blank fields is inserted into the regional tables and replicated globally within seconds
        17:48 symptom: Service Control crashes with a null pointer in all regions; API requests get 503 errors
        17:50 detection: SRE team is alerted and triages
        18:00 detection: Root cause identified, the red button to disable the policy path is ready
        18:25 action: Red button rollout completes in most regions
        18:30 symptom: In the largest region restarting tasks overload the database, a herd effect without backoff
        20:40 recovery: The largest region is stable after throttling
        01:18+1 recovery: All products recovered
        """, {"P4"}),
    "cloudflare-2025": ("""
        11:05 trigger: Database permission change is deployed; the feature file of bot management doubles and is propagated to all machines of the network
        11:28 symptom: Proxies everywhere panic on the oversized file and return 5xx errors
        11:31 detection: Automated test detects the issue
        11:32 symptom: Team suspects a DDoS attack as the status page is also down
        11:35 action: Incident call created
        13:37 detection: The bot management file is identified as the trigger
        14:24 action: Propagation of the bad file is stopped and a good file is inserted
        14:30 recovery: Main impact resolved
        17:06 recovery: All services normal
        """, {"P4"}),
    "azure-afd-2025": ("""
        15:41 trigger: An inadvertent tenant configuration change is applied to the front door
        15:45 symptom: A large number of nodes fail to load globally, with timeouts and connection errors for all services
        15:48 detection: Monitoring alerts
        -- symptom: The management portal cannot be reached as it is behind the front door
        17:30 action: Configuration changes are blocked and the last known good configuration is deployed
        18:45 action: Nodes are recovered manually and traffic is rebalanced in phases
        00:05+1 recovery: Impact mitigated for customers
        """, {"P4"}),
    "dynamodb-2025": ("""
        06:48 trigger: Two DNS automation processes race and the regional endpoint is left with an empty record
        06:48 symptom: Clients cannot connect to the database endpoint; dependent services fail too
        07:38 detection: Engineers identify the DNS state as the source
        09:25 action: DNS record restored by hand
        09:40 recovery: Database connections recover
        10:00 symptom: Instance launches fail as the lease manager is in congestive collapse
        21:50 recovery: Instance launches normal
        """, {"", "P2", "P3"}),
    "reddit-2023": ("""
        19:05 trigger: Kubernetes upgrade from 1.23 to 1.24 is started on the main cluster by an engineer
        19:06 symptom: The whole site is down, pods cannot talk to each other
        19:08 detection: Alerts page the team
        20:30 decision: Restore the cluster from backup
        -- symptom: The restore procedure was written for an older version, never tested and fails on certificates
        21:00 action: Restore from the backup takes more than an hour
        22:30 recovery: Cluster restored, traffic let in gradually
        """, {"", "P6"}),
    "datadog-2023": ("""
        06:00 trigger: An automatic security update of the operating system is applied to tens of thousands of hosts in all regions at once
        06:03 symptom: Network routes are removed on the restarted hosts and nodes go offline everywhere
        06:08 detection: Internal monitoring pages on-call
        06:18 action: Incident opened
        -- symptom: Cluster control planes are unreachable, since they run on the affected nodes
        11:00 action: Nodes are restarted region by region
        12:05 recovery: Platform partially available
        09:00+1 recovery: All services as before
        """, {"", "P4", "P5"}),
    "pi-datacenter": ("""
        11:43 trigger: Utility power fails and the generators do not start in one data centre
        11:44 symptom: Control plane and analytics are down
        11:45 detection: Alerts
        -- symptom: Failover of some services does not work, since they depend on the failed data centre
        13:40 decision: Fail over to the disaster recovery site
        17:57 recovery: Control plane restored
        """, {"", "P3"}),
}  # fmt: skip

PARAPHRASED: dict[str, tuple[str, set[str]]] = {
    "blind": ("""
        09:00 symptom: Checkout answers nobody any more
        -- symptom: Graphs are empty and no alarm was raised
        09:40 detection: Merchants call the hotline
        -- action: The team tries one thing after the other without knowing which part is broken
        -- decision: Reboot the entire cluster
        10:20 recovery: Orders come in again
        """, {"P1"}),
    "scope": ("""
        14:00 trigger: An engineer executes the documented procedure that takes three nodes out; the selector is wrong and it takes out far more nodes than intended
        14:01 symptom: Search, billing and other services that share the nodes are down too
        14:04 detection: Pager alerts
        -- action: The index needs a complete restart, which takes longer than planned
        15:30 recovery: Reads are served, writes still fail
        16:00 recovery: Writes work again, which could begin only after the index was up
        """, {"P2"}),
    "failover": ("""
        02:10 trigger: Packet loss of 20 seconds isolates one site
        02:10 trigger: The consensus group elects a leader in the other site by itself
        02:11 symptom: The old leader has accepted orders that the new one lacks, the two diverge
        02:15 detection: Replication alert
        02:40 decision: Stop selling and keep every order rather than lose some
        03:00 action: Order processing is suspended while both copies are compared
        09:00 recovery: Both sides agree again and selling resumes
        """, {"P3"}),
    "rollout": ("""
        11:00 trigger: New rate-limit policy is published to every edge node at once
        11:01 symptom: Processes crash on all nodes and users see errors
        11:03 detection: Alert on error ratio
        11:05 symptom: Operators cannot sign in to the admin console
        11:20 action: The policy is turned off through an emergency endpoint
        11:23 recovery: Error ratio is back to normal
        """, {"P4"}),
    "lockout": ("""
        08:00 trigger: An update of the identity service's network rules cuts its connectivity
        08:01 symptom: Nobody can sign in anywhere
        -- symptom: VPN and bastion refuse everybody, as they ask the identity service
        -- symptom: The emergency account's password is in the vault, which is unreachable
        -- decision: Two people drive to the data centre
        11:00 action: The rule is taken back at the console in person
        11:10 recovery: Sign-in works
        11:30 recovery: All services are let back in step by step
        """, {"P5"}),
    "copies": ("""
        16:00 symptom: Queries are slow
        16:10 detection: Alert: replica lags behind
        16:30 action: On-call prepares to rebuild the replica
        16:50 trigger: The command wipes the data volume of the live database rather than the replica's, on the wrong server
        16:50 symptom: Site down
        -- detection: Last night's backup is empty and the week's snapshots were never enabled
        -- decision: Restore the weekly archive, three days old
        -- action: Copying it back takes 9 hours
        03:00+1 recovery: Site up
        """, {"P6"}),
    "pagerless-startup": ("""
        21:00 symptom: Payments stop
        -- detection: A user tweets that nothing can be bought
        -- symptom: There is no monitoring, nobody was alerted
        -- action: Developers guess and redeploy several versions
        -- decision: Reboot all servers
        22:15 recovery: Payments work again
        """, {"P1"}),
    "wrong-env": ("""
        14:00 trigger: An engineer runs terraform destroy in production, thinking it was the test environment
        14:01 symptom: The production database and its servers are gone
        14:02 detection: The engineer notices within a minute
        -- detection: Automated snapshots had been deleted with the database
        -- action: The vendor restores a hidden snapshot in 24 hours
        14:00+1 recovery: Platform is back with all data
        """, {"P6"}),
    "mass-terminate": ("""
        09:00 trigger: Operator executes a cleanup script with an empty filter, which terminates all instances of the cluster
        09:01 symptom: API, dashboard and ingestion are down at the same time
        09:03 detection: Synthetic monitors page
        09:10 action: Instances are launched again; cold start takes longer than expected
        10:30 recovery: API serves reads
        11:15 recovery: Ingestion resumes once the API is healthy
        """, {"P2"}),
    "split": ("""
        02:00 trigger: Switch failure isolates the primary database node for one minute
        02:00 trigger: Pacemaker promotes the replica
        02:01 symptom: The old primary comes back and both nodes accept writes
        02:10 detection: ReplicationBroken alert
        02:30 action: Application put in read-only mode to protect data
        05:00 action: Conflicting rows are reconciled by hand from the binlogs
        08:00 recovery: Writes enabled
        """, {"P3"}),
    "net-lock": ("""
        10:00 trigger: A firewall policy pushed to the core routers blocks all management traffic
        10:01 symptom: Sites are offline
        10:05 symptom: Engineers are locked out: VPN, jump host and ticketing are unreachable
        -- symptom: The console server's modem line had been cancelled
        -- decision: A technician drives to the data center
        12:40 action: The policy is removed over a serial cable
        12:45 recovery: Traffic flows again
        """, {"P5"}),
}  # fmt: skip
