"""What Datadog makes of the README's template.

Title, time, tags, link and texts are of a pair recorded in 2015 and published by others; cycle key,
priority and type are invented in the form that Datadog documents.
"""

import json

from bot.contract import RawRequest

_TAGS = (
    "availability-zone:us-west-1a,host:i-3b93aafb,image:ami-9f305fff,instance-type:c3.large,"
    "kernel:none,monitor,org:6585,region:us-west-1,role:dock,security-group:sg-59a3503c,"
    "security-group:sg-cb8e7dae"
)
_COMMON = {
    "alert_cycle_key": "3089904566766935419",
    "alert_id": "309811",
    "alert_scope": "host:i-3b93aafb,region:us-west-1,role:dock",
    "alert_priority": "P2",
    "event_type": "metric_alert_monitor",
    "hostname": "i-3b93aafb",
    "tags": _TAGS,
    "synthetics_test_name": "",
    "synthetics_first_failing_step_name": "",
}
FIRING = json.dumps(
    {
        **_COMMON,
        "alert_transition": "Triggered",
        "date": "1448435530000",
        "event_title": "[Triggered on {host:i-3b93aafb}] Dock is almost out of memory...",
        "alert_status": "system.mem.usable over region:us-west-1, role:dock was <= 500000000.0 on "
        "average during the last 30m.",
        "alert_type": "error",
        "text_only_msg": "restart docker\nhttps://github.com/CodeNow/devops-scripts/wiki/"
        "Restarting-Docker\n\nor add new dock @slack-ops @pagerduty",
        "link": "https://app.datadoghq.com/event/event?id=3089904566766935419",
    }
).encode()
RESOLVED = json.dumps(
    {
        **_COMMON,
        "alert_transition": "Recovered",
        "date": "1448435877000",
        "event_title": "[Recovered on {host:i-3b93aafb}] Dock is almost out of memory...",
        "alert_status": "",
        "alert_type": "success",
        "text_only_msg": "Dock is almost out of memory... was marked as recovered on "
        "host:i-3b93aafb,region:us-west-1,role:dock by Anand Patel.",
        "link": "https://app.datadoghq.com/event/event?id=3089903685627551077",
    }
).encode()


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"authorization": f"Bearer {secret}"}, body)
