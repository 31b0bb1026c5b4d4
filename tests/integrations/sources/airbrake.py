"""A request of airbrake.io, recorded by Zulip, whose tests hold it.

``DOCUMENTED`` is the payload of Airbrake's documentation. Nothing says that an error is resolved.
"""

from bot.contract import RawRequest

FIRING = rb"""{
  "error": {
    "id": "1705190192091077626",
    "error_message": "Error message from logger",
    "error_class": "ZeroDivisionError",
    "file": "file.py",
    "line_number": 2,
    "project": {"id": 125209, "name": "ZulipIntegrationTest"},
    "last_notice": {
      "id": "1705189516072954676",
      "request_url": null,
      "backtrace": ["file.py:2:in \u003cmodule\u003e"]
    },
    "environment": "dev",
    "first_occurred_at": "2016-06-10T17:07:10.760639Z",
    "last_occurred_at": "2016-06-10T17:07:10.76Z",
    "times_occurred": 1
  },
  "airbrake_error_url": "https:\/\/zulip.airbrake.io\/projects\/125209\/groups\/1705190192091077626"
}"""
RESOLVED = FIRING
DOCUMENTED = rb"""{
  "error": {
    "id": 37463546,
    "error_message": "KitchenException: You are all out of bacon!",
    "error_class": "KitchenException",
    "file": "[PROJECT_ROOT]/app/controllers/bacon_controller.rb",
    "line_number": 35,
    "project": {"id": 1111, "name": "Baconator"},
    "last_notice": {
      "id": 4505303522,
      "request_method": null,
      "request_url": "http://airbrake.io:445/bacon/cook",
      "backtrace": ["[PROJECT_ROOT]/app/controllers/bacon_controller.rb:35:in `cook'"]
    },
    "environment": "avocado",
    "first_occurred_at": "2012-02-23T22:03:03Z",
    "last_occurred_at": "2012-03-21T08:37:15Z",
    "times_occurred": 118
  },
  "airbrake_error_url": "https://airbrake.io/airbrake-error-url"
}"""


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"content-type": "application/json"}, body, {"token": secret})
