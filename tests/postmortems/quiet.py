"""Days on which something broke and was mended: the matcher must have nothing to say about them."""

QUIET: dict[str, str] = {
    "deploy-rolled-back": """
        10:00 trigger: Version 4.2 of checkout is deployed
        10:03 symptom: Checkout returns errors for some users
        10:04 detection: Error-rate alert pages the on-call
        10:08 action: The deployment is rolled back
        10:11 recovery: Error rate back to normal
        """,
    "planned-failover": """
        02:00 trigger: Planned failover of the orders database to its standby, by the runbook
        02:00 symptom: Writes fail for 20 seconds
        02:01 action: Standby promoted as planned
        02:01 recovery: Writes work on the new primary
        """,
    "failover-that-worked": """
        04:00 trigger: The primary database host dies
        04:00 symptom: Writes fail
        04:00 action: Patroni promotes the standby automatically
        04:01 detection: Alert: primary changed
        04:01 recovery: Writes work again
        """,
    "disk-filled": """
        08:00 symptom: Uploads fail on one node
        08:02 detection: Alert: disk of the upload node is 100 % full
        08:10 action: Old logs are removed from the disk
        08:12 recovery: Uploads work
        """,
    "certificate": """
        00:00 symptom: The API's certificate expired and clients refuse the connection
        00:01 detection: Certificate alert pages the on-call
        00:20 action: The certificate is renewed
        00:22 recovery: Clients connect again
        """,
    "pod-oom": """
        13:00 symptom: One pod of the report service is killed for lack of memory
        13:01 detection: Alert: OOMKilled
        13:05 action: The memory limit of the pod is raised
        13:06 recovery: Reports are made again
        """,
    "maintenance-overrun": """
        22:00 trigger: Maintenance of the storage system begins as announced
        23:00 symptom: Maintenance is not done at the end of its window; the shop stays closed
        23:00 communication: Customers are told that it takes an hour longer
        23:50 action: The storage upgrade completes
        23:55 recovery: The shop opens
        """,
    "provider-dns-blip": """
        17:00 symptom: Some users cannot resolve our name, our DNS provider has an incident
        17:03 detection: Synthetic check fails from two places
        17:05 detection: The provider's status page confirms an incident
        17:20 recovery: The provider has mended it, checks pass
        """,
    "canary": """
        15:00 trigger: A new configuration is rolled out to 1% of the fleet as canary
        15:02 symptom: Error rate of the canary rises
        15:02 detection: The rollout's alert stops it
        15:03 action: The canary is rolled back automatically
        15:04 recovery: No errors any more
        """,
    "phishing": """
        09:00 detection: An employee reports a phishing mail to the security team
        09:10 action: The sender is blocked
        09:20 action: Three passwords are reset as a precaution
        10:00 recovery: No account was used by others; ticket closed
        """,
    "cache-miss": """
        12:00 trigger: The cache cluster is upgraded
        12:01 symptom: Pages are slow, since the cache is being filled
        12:03 detection: Latency alert
        12:30 recovery: Latency is as before
        """,
    "queue-stuck": """
        06:00 symptom: Invoices are sent late, a worker is stuck on one message
        06:30 detection: Alert: oldest message is 30 minutes old
        06:40 action: The worker is restarted
        06:45 recovery: The queue is drained
        """,
    "customer-first-but-known": """
        11:00 trigger: Version 12 of the invoice service is deployed
        11:30 detection: A customer reports to support that invoices lack a line
        11:40 detection: The cause is found in a template of the new version
        12:00 action: The version is rolled back
        12:05 recovery: Invoices are right
        """,
    "load-test": """
        14:00 trigger: A load test is run against staging by a script
        14:05 symptom: Staging is slow
        14:06 detection: Alert: staging latency
        14:10 action: The load test is stopped
        14:11 recovery: Staging is fast
        """,
    "restore-asked-for": """
        10:00 trigger: A user deletes their own project by mistake
        10:10 detection: The user asks support for help
        10:20 action: The project is restored from the trash within 5 minutes, no data loss
        10:25 recovery: The project is back
        """,
    "switch-replaced": """
        03:00 trigger: A broken network switch is replaced in the maintenance window
        03:00 symptom: One rack is unreachable
        03:01 detection: Alert: hosts of the rack down, as expected
        03:15 recovery: The rack is reachable
        """,
    "flag-for-few": """
        16:00 trigger: A feature flag is enabled for internal users
        16:05 symptom: The settings page fails for internal users
        16:06 detection: Error tracking alert
        16:08 action: The flag is disabled
        16:09 recovery: The settings page works
        """,
    "login-bug": """
        08:00 trigger: A new version of the login page is deployed
        08:05 symptom: Users with long passwords cannot log in
        08:15 detection: Alert: failed logins
        08:40 action: The version is rolled back
        08:45 recovery: Users can log in
        """,
    "drained-for-repair": """
        09:00 trigger: An operator drains one server for a repair, by the playbook
        09:01 detection: Alert: capacity at 90 %
        09:30 action: The server is put back
        09:31 recovery: Capacity at 100 %
        """,
    "backup-late": """
        02:00 symptom: The nightly backup takes longer than usual
        04:00 detection: Alert: backup not done
        04:30 action: The backup job is started again
        05:30 recovery: The backup is done and its test restore passes
        """,
    "config-one-service": """
        10:00 trigger: A configuration change of the search service is deployed
        10:02 symptom: Search returns errors for all users
        10:03 detection: Alert: error rate of search
        10:06 action: The configuration change is rolled back
        10:08 recovery: Search works for all users
        """,
    "canary-stop": """
        10:00 trigger: Deploy of api v3 to the canary
        10:01 detection: Canary analysis fails, 1% of traffic affected
        10:02 action: Deploy aborted and rolled back automatically
        10:03 recovery: Error rate normal
        """,
    "bad-migration": """
        09:00 trigger: A database migration locks the orders table
        09:01 symptom: Orders time out
        09:02 detection: Pager: p99 latency
        09:05 action: The migration is cancelled
        09:06 recovery: Latency normal
        """,
    "vpn-cert": """
        08:00 symptom: Employees cannot connect to the VPN because its certificate expired
        08:05 detection: Helpdesk reports VPN failures
        08:30 action: Certificate renewed on the VPN gateway
        08:35 recovery: VPN works
        """,
    "sso-provider": """
        08:00 symptom: Staff cannot log in to internal tools, the SSO provider has an outage
        08:02 detection: Monitoring alert on SSO logins
        08:05 action: Provider status page confirms the incident
        09:00 recovery: Provider resolved it, logins work
        """,
    "replica-lag": """
        12:00 symptom: Reports are stale, replication lag grows
        12:05 detection: ReplicationLag alert
        12:10 action: A long query on the replica is killed
        12:20 recovery: Lag is back to zero
        """,
    "etcd-election": """
        03:00 trigger: One etcd node is rebooted for patching
        03:00 action: The cluster elects a new leader automatically
        03:01 detection: Alert: leader changed
        03:01 recovery: No requests failed
        """,
    "backup-failed-alerted": """
        02:00 detection: Alert: nightly backup failed, bucket permission denied
        08:00 action: The on-call fixes the permission and runs the backup again
        09:00 recovery: Backup succeeded
        """,
    "deleted-restored": """
        11:00 trigger: An engineer drops the wrong table in staging
        11:01 detection: The engineer notices at once
        11:05 action: The table is restored from last night's backup in 4 minutes
        11:10 recovery: Staging works; nothing is lost
        """,
    "ddos": """
        15:00 symptom: Traffic spikes tenfold and the site is slow globally
        15:02 detection: Alert on request rate
        15:10 decision: It is a DDoS attack, mitigation is turned on
        15:20 recovery: The site is fast again
        """,
    "noisy-dashboards": """
        10:00 symptom: Grafana dashboards are empty after its upgrade
        10:05 detection: Alert: Grafana data source unreachable
        10:20 action: The data source is reconfigured
        10:25 recovery: Dashboards show data
        """,
    "support-first": """
        09:00 symptom: The export button does nothing
        10:30 detection: Customers report it to support
        11:00 action: A missing script is identified in the release of the morning
        11:20 action: The script is added
        11:30 recovery: Exports work
        """,
    "autoscale": """
        18:00 symptom: Checkout is slow at peak traffic
        18:01 detection: Latency alert
        18:05 action: The service is scaled up from 10 to 20 instances
        18:10 recovery: Latency is normal
        """,
    "planned-dr": """
        02:00 trigger: Planned disaster recovery exercise begins, traffic is moved to the second region
        02:05 action: Databases are promoted in the second region as planned
        02:20 recovery: All services run in the second region
        04:00 action: Traffic is moved back
        """,
    "switch-off-feature": """
        10:00 symptom: Recommendations time out and slow the home page
        10:02 detection: Latency alert
        10:06 action: The recommendations feature is disabled by its flag
        10:07 recovery: The home page is fast
        """,
    "region-provider": """
        12:00 symptom: Our provider loses power in one zone; a third of our instances are gone
        12:01 detection: Alerts for instances down
        12:05 action: Traffic is moved to the other zones
        12:10 recovery: Errors are gone
        """,
    "hand-restart": """
        12:00 symptom: One worker hangs
        12:10 detection: Alert: queue grows
        12:15 action: An engineer restarts the worker by hand
        12:16 recovery: The queue drains
        """,
    "drain-maint": """
        09:00 trigger: An operator drains two of twenty servers for a kernel update by the runbook
        09:02 symptom: Latency rises a little
        09:03 detection: Latency alert
        09:05 action: One server is put back
        09:06 recovery: Latency is normal
        """,
    "full-restart-known": """
        12:00 symptom: The application server leaks memory and gets slow
        12:05 detection: Memory alert
        12:10 detection: The leak is identified in the image library
        12:20 decision: Restart all application servers one by one
        12:40 recovery: Memory and latency are normal
        """,
    "dns-typo": """
        10:00 trigger: A DNS record of the blog is changed with a typo
        10:05 symptom: The blog does not resolve
        10:06 detection: Synthetic check fails
        10:10 action: The record is corrected
        10:15 recovery: The blog resolves again
        """,
    "cert-all-regions": """
        00:00 symptom: The edge certificate expired in all regions, clients cannot connect
        00:02 detection: Alert fires
        00:25 action: A new certificate is issued and deployed to all regions
        00:30 recovery: Clients connect
        """,
    "rate-limit": """
        10:00 trigger: A new rate limit rule is enabled for one customer
        10:02 symptom: That customer gets 429 errors
        10:30 detection: The customer opens a support ticket
        10:40 action: The rule is disabled
        10:41 recovery: The customer works again
        """,
    "traffic-shifted": """
        10:00 trigger: An operator shifts the traffic of one region to another for maintenance, by the runbook
        10:02 symptom: Requests in the second region are slow, its caches are cold
        10:03 detection: Latency alert
        10:10 action: The traffic is moved back in steps
        10:15 recovery: Latency is as before
        """,
    "file-deleted-by-accident": """
        14:00 trigger: A developer accidentally deletes a folder of test data
        14:05 detection: The nightly tests cannot find their data
        14:20 action: The folder is restored from yesterday's backup within a minute
        14:21 recovery: Tests pass
        """,
    "prefix-added": """
        11:00 trigger: A new prefix is announced from one location as planned
        11:05 symptom: Some users of one provider time out
        11:10 detection: Probes of that provider fail
        11:20 action: The announcement is withdrawn
        11:22 recovery: Probes pass
        """,
    "heartbeat-missed": """
        03:00 symptom: A batch job sends no heartbeat
        03:10 detection: Heartbeat alert
        03:20 action: The job's host had rebooted for patches; the job is started again
        03:40 recovery: The job is done, nothing is lost
        """,
    "replica-rebuilt": """
        05:00 symptom: A replica's disk fails
        05:01 detection: Alert: replica down
        05:10 decision: The replica is rebuilt on a spare host
        08:00 recovery: The rebuilt replica has caught up
        """,
    "keys-rotated": """
        09:00 trigger: Signing keys are rotated as scheduled
        09:01 symptom: One old client cannot log in
        09:30 detection: Its owner asks support
        09:45 action: The client is updated to fetch the new keys
        09:50 recovery: It logs in
        """,
    "import-slow": """
        20:00 action: The monthly import of invoices begins
        23:00 symptom: The import takes three hours longer than planned
        23:05 detection: Alert: import not done
        01:00+1 recovery: The import is done, all records are there
        """,
    "tools-slow": """
        13:00 symptom: The deployment tools are slow, builds wait
        13:10 detection: Developers complain in the chat
        13:30 action: Two stuck build hosts are restarted
        13:40 recovery: Builds run
        """,
    "visit-planned": """
        08:00 trigger: A technician visits the data centre to swap a fan
        08:20 symptom: One host shuts down as its cable is touched
        08:21 detection: Alert: host down
        08:25 action: The technician switches the host on
        08:30 recovery: The host serves again
        """,
    "threshold-too-low": """
        07:00 trigger: An alert threshold is changed for all services at once
        07:01 detection: Forty alerts fire, dashboards show ordinary traffic
        07:10 action: The change of the threshold is reverted
        07:11 recovery: Alerts are quiet; no user was affected
        """,
    "two-services-slow": """
        16:00 trigger: A developer runs a heavy report by hand
        16:01 symptom: The report database and the export, which uses it too, are slow
        16:03 detection: Latency alert
        16:05 action: The report is cancelled
        16:06 recovery: Both are fast
        """,
    "login-of-one-office": """
        09:00 symptom: One office cannot log in to the VPN, its provider blocks the port
        09:10 detection: The help desk is called
        09:20 action: The office switches to another port
        09:25 recovery: The office is connected
        """,
    "one-host-by-mistake": """
        10:00 trigger: An operator takes one web host out of the pool by mistake
        10:01 detection: Alert: pool smaller than wanted
        10:02 symptom: Some requests are slower
        10:05 action: The host is put back
        10:06 recovery: Latency is normal
        """,
    "price-list": """
        09:00 trigger: A new price list is loaded into the shop of one country
        09:02 symptom: Two prices are wrong there
        09:10 detection: A customer writes to support
        09:20 action: The old list is put back
        09:25 recovery: Prices are right
        """,
    "lost-doc": """
        15:00 trigger: A colleague deleted a shared file by accident
        15:05 symptom: The team cannot find the file
        15:06 detection: The team asks the help desk
        15:20 action: The file is restored from the snapshot of the night
        15:25 recovery: The file is there, an hour of edits is lost
        """,
    "maintenance-console": """
        23:00 trigger: A technician starts the planned procedure to move one rack
        23:05 symptom: The management console of this rack is unavailable, as planned
        23:30 recovery: The rack is up again
        """,
    "passengers-first": """
        06:00 symptom: Passengers cannot see the new timetable on one page
        06:20 detection: Passengers write to the help desk
        06:25 action: The web team finds that a date is wrong in the page
        06:30 recovery: The page is right
        """,
    "rule-in-steps-everyone": """
        10:00 trigger: A filter update is released to one percent of all customers
        10:05 detection: Alert: more blocked pages in the canary
        10:06 action: The update is withdrawn
        10:10 recovery: Blocked pages are normal
        """,
}
