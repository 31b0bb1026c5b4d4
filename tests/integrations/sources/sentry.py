"""The metric alert of Sentry's documentation; it shows the resolving, the firing is made from it.

``EVENT_ALERT`` (its exception and contexts left out) and ``ISSUE`` are from there too;
``ISSUE_RESOLVED`` was recorded from sentry.io by Zulip, whose tests hold it (the name changed).
"""

import hashlib
import hmac

from bot.contract import RawRequest

RESOLVED = rb"""{
  "action": "resolved",
  "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
  "data": {
    "description_text": "1000 events in the last 10 minutes\\nFilter: level:error",
    "description_title": "Resolved: Too many errors",
    "metric_alert": {
      "alert_rule": {
        "aggregate": "count()", "created_by": null, "dataset": "events",
        "date_created": "2020-09-13T12:26:40.000000Z",
        "date_modified": "2020-09-13T12:26:40.000000Z",
        "environment": null, "id": "7", "include_all_projects": false, "name": "Too many errors",
        "organization_id": "5", "projects": ["bar"], "query": "level:error", "resolution": 1,
        "resolve_threshold": null, "status": 0, "threshold_period": 1, "threshold_type": 0,
        "time_window": 10, "triggers": []
      },
      "date_closed": null,
      "date_created": "2020-09-13T12:26:40.000000Z",
      "date_detected": "2020-09-13T12:26:40.000000Z",
      "date_started": "2020-09-13T12:26:40.000000Z",
      "id": "4", "identifier": "1", "organization_id": "5", "projects": ["bar"], "status": 2,
      "status_method": 3, "title": "Sacred Marmot", "type": 2
    },
    "web_url": "https://sentry.io/organizations/baz/alerts/1/"
  },
  "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"}
}"""
FIRING = RESOLVED.replace(b'"action": "resolved"', b'"action": "critical"').replace(
    b"Resolved: Too", b"Critical: Too"
)
EVENT_ALERT = rb"""{
  "action": "triggered",
  "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
  "data": {
    "event": {
      "_ref": 1, "_ref_version": 2, "culprit": "?(<anonymous>)",
      "datetime": "2019-08-19T21:06:17.677000Z", "dist": null,
      "event_id": "e4874d664c3540c1a32eab185f12c5ab", "fingerprint": ["{{ default }}"],
      "hashes": ["29f7ffc4903a8a990408b80a3b4c95a2"],
      "issue_url": "https://sentry.io/api/0/issues/1117540176/", "issue_id": "1117540176",
      "key_id": "667532", "level": "error", "location": "<anonymous>", "logger": "", "message": "",
      "metadata": {
        "filename": "<anonymous>", "type": "ReferenceError", "value": "heck is not defined"
      },
      "platform": "javascript", "project": 1, "received": 1566248777.677, "release": null,
      "tags": [
        ["browser", "Chrome 75.0.3770"], ["browser.name", "Chrome"], ["handled", "no"],
        ["level", "error"], ["mechanism", "onerror"], ["os", "Mac OS X 10.14.0"],
        ["os.name", "Mac OS X"], ["user", "ip:162.217.75.90"],
        ["url", "https://null.jsbin.com/runner"]
      ],
      "time_spent": null, "timestamp": 1566248777.677,
      "title": "ReferenceError: heck is not defined", "type": "error",
      "url": "https://sentry.io/api/0/projects/test-org/front-end/events/e4874d664c3540c1a32eab185f12c5ab/",
      "version": "7",
      "web_url": "https://sentry.io/organizations/test-org/issues/1117540176/events/e4874d664c3540c1a32eab185f12c5ab/"
    },
    "triggered_rule": "Very Important Alert Rule!",
    "issue_alert": {
      "title": "Very Important Alert Rule!", "settings": [{"name": "channel", "value": "#general"}]
    }
  },
  "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"}
}"""
ISSUE = rb"""{
  "action": "created",
  "installation": {"uuid": "24b397fc-a86e-43ef-9297-949e21b82480"},
  "data": {
    "issue": {
      "url": "https://sentry.io/api/0/organizations/example-org/issues/1234567890/",
      "web_url": "https://example-org.sentry.io/issues/1234567890/",
      "project_url": "https://example-org.sentry.io/issues/?project=4509877862268928",
      "id": "1234567890", "shareId": null, "shortId": "PYTHON-Y",
      "title": "Error generated with event_id: 495d375a-1df6-45c0-9890-34dae8e1b6a4(Priority: HIGH)",
      "culprit": "test-transaction-0-41e49cd3-7252-441f-8d27-63a9ad697b0a",
      "permalink": "https://example-org.sentry.io/issues/1234567890/", "logger": "edge-function",
      "level": "fatal", "status": "unresolved", "statusDetails": {}, "substatus": "new",
      "isPublic": false, "platform": "javascript",
      "project": {
        "id": "112313123123134", "name": "python", "slug": "python", "platform": "python"
      },
      "type": "default", "numComments": 0, "assignedTo": null, "isBookmarked": false,
      "isSubscribed": false, "subscriptionDetails": null, "hasSeen": false, "annotations": [],
      "issueType": "error", "issueCategory": "error", "priority": "high",
      "priorityLockedAt": null, "seerFixabilityScore": null, "seerAutofixLastTriggered": null,
      "isUnhandled": false, "count": "3", "userCount": 3,
      "firstSeen": "2025-11-10T20:56:00.679000+00:00",
      "lastSeen": "2025-11-10T20:56:00.738000+00:00"
    }
  },
  "actor": {"type": "application", "id": "example-app", "name": "Example App"}
}"""
ISSUE_RESOLVED = rb"""{
  "action": "resolved",
  "data": {
    "resolution_type": "now",
    "issue": {
      "platform": "python", "lastSeen": "2020-04-30T05:54:15.092476Z", "numComments": 0,
      "userCount": 0, "culprit": "__main__ in <module>",
      "title": "Exception: program has entered an invalid state.", "id": "1638821441",
      "assignedTo": null, "logger": null, "type": "error", "annotations": [],
      "metadata": {
        "function": "<module>", "type": "Exception",
        "value": "program has entered an invalid state.", "filename": "trigger-exception.py"
      },
      "status": "resolved", "subscriptionDetails": null, "isPublic": false, "hasSeen": false,
      "shortId": "ZULIP-INTEGRATION-TESTING-E", "shareId": null,
      "firstSeen": "2020-04-30T05:54:15.092476Z", "count": "1", "permalink": null,
      "level": "error", "isSubscribed": false, "isBookmarked": false,
      "project": {
        "platform": "python", "slug": "zulip-integration-testing", "id": "5216640",
        "name": "Zulip Integration Testing"
      },
      "statusDetails": {}
    }
  },
  "installation": {"uuid": "65027794-169a-4042-80d0-808ece377141"},
  "actor": {"type": "user", "id": 662437, "name": "A Person"}
}"""


def sent(body: bytes, secret: str) -> RawRequest:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return RawRequest({"sentry-hook-signature": signature}, body)
