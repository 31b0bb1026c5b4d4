"""Requests of rollbar.com, recorded by Zulip, whose tests hold them.

The access token in them was blanked, and all share one occurrence's ``server`` and ``metadata``.
"""

from bot.contract import RawRequest

_OCCURRENCE = rb"""{
        "body": {"message": {"body": "All set."}},
        "uuid": "6775efce-be1f-42c9-8a9c-0e7e5e238193", "language": "python 3.6.3",
        "level": "error", "timestamp": 1515470113,
        "server": {"host": "DESKTOP-6LMFI2P", "pid": 3652, "argv": ["C:\\Python27\\rollbartest.py"]},
        "environment": "production", "framework": "unknown",
        "notifier": {"version": "0.13.17", "name": "pyrollbar"},
        "metadata": {
          "access_token": "00000000000000000000000000000000",
          "debug": {"routes": {"start_time": 1513455902630, "counters": {"post_item": 20484233}}},
          "customer_timestamp": 1515470112, "api_server_hostname": "api03",
          "timestamp_ms": 1515470113413
        }
      }"""
FIRING = (
    rb"""{
  "event_name": "reactivated_item",
  "data": {
    "item": {
      "public_item_id": null, "integrations_data": {}, "level_lock": 1,
      "last_activated_timestamp": 1515470113, "assigned_user_id": 110361, "group_status": 1,
      "hash": "4be154a9fc129b2f1901b52ba5ef262b8b0e406c", "id": 495300143,
      "environment": "production", "title_lock": 0, "title": "All set.",
      "last_occurrence_id": 35686669981, "last_occurrence_timestamp": 1515470113, "platform": 0,
      "first_occurrence_timestamp": 1514961665, "project_id": 162774,
      "resolved_in_version": null, "status": 1, "unique_occurrences": null, "group_item_id": null,
      "last_occurrence": """
    + _OCCURRENCE
    + rb""",
      "framework": 13, "total_occurrences": 1, "level": 40, "counter": 3,
      "last_modified_by": 8247, "first_occurrence_id": 35445911833,
      "activating_occurrence_id": 35686669981
    }
  }
}"""
)
VELOCITY = rb"""{
  "event_name": "item_velocity",
  "data": {
    "item": {
      "public_item_id": null, "integrations_data": {}, "level_lock": 1,
      "last_activated_timestamp": 1515470113, "assigned_user_id": 110361, "group_status": 1,
      "hash": "4be154a9fc129b2f1901b52ba5ef262b8b0e406c", "id": 495300143,
      "environment": "production", "title_lock": 0, "title": "All set.",
      "last_occurrence_id": 35687211870, "last_occurrence_timestamp": 1515471152, "platform": 0,
      "first_occurrence_timestamp": 1514961665, "project_id": 162774,
      "resolved_in_version": null, "status": 1, "unique_occurrences": null, "group_item_id": null,
      "framework": 13, "total_occurrences": 12, "level": 50, "counter": 3,
      "last_modified_by": 8247, "first_occurrence_id": 35445911833,
      "activating_occurrence_id": 35686669981
    },
    "trigger": {"threshold": 10, "window_size": 300, "window_size_description": "5 minutes"}
  }
}"""
RESOLVED = (
    rb"""{
  "event_name": "resolved_item",
  "data": {
    "item": {
      "public_item_id": null, "integrations_data": {}, "level_lock": 1,
      "last_activated_timestamp": 1515453018, "assigned_user_id": 110361, "group_status": 1,
      "hash": "4be154a9fc129b2f1901b52ba5ef262b8b0e406c", "id": 495300143,
      "environment": "production", "title_lock": 0, "title": "All set.",
      "last_occurrence_id": 35683042294, "last_occurrence_timestamp": 1515463181, "platform": 0,
      "first_occurrence_timestamp": 1514961665, "project_id": 162774,
      "resolved_in_version": null, "status": 2, "unique_occurrences": null, "group_item_id": null,
      "last_occurrence": """
    + _OCCURRENCE.replace(
        b"6775efce-be1f-42c9-8a9c-0e7e5e238193", b"aeb171e7-0c7d-4a99-b2d0-7f7720af212f"
    ).replace(b"1515470113", b"1515463181")
    + rb""",
      "framework": 13, "total_occurrences": 127, "level": 40, "counter": 3,
      "last_modified_by": 110361, "first_occurrence_id": 35445911833,
      "activating_occurrence_id": 35677890483
    }
  }
}"""
)
# The same item by hand again; only these fields of it differ from the resolved one's.
REOPENED = (
    RESOLVED.replace(b"resolved_item", b"reopened_item")
    .replace(b'_activated_timestamp": 1515453018', b'_activated_timestamp": 1515469672')
    .replace(b'"status": 2', b'"status": 1')
)
TEST = rb"""{
  "event_name": "test",
  "data": {"message": "This is a test payload from Rollbar. If you got this, it works!"}
}"""


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"content-type": "application/json"}, body, {"token": secret})
