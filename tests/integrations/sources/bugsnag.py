"""The payload of BugSnag's documentation, its comments taken out; only ``trigger`` varies."""

from bot.contract import RawRequest

FIRING = rb"""{
  "account": {
    "id": "56b9ca7f17025f8756f69054", "name": "My Company",
    "url": "https://app.bugsnag.com/accounts/my-company"
  },
  "project": {
    "id": "56b9ca7f17025f8756f69054", "name": "My Test Project",
    "url": "https://app.bugsnag.com/my-company/my-test-project"
  },
  "trigger": {"type": "exception", "message": "1000th exception"},
  "error": {
    "id": "56b9ca7f17025f8756f69054", "errorId": "56b9ca7f17025f8756f69054",
    "exceptionClass": "NoMethodError", "message": "Unable to connect to database.",
    "context": "auth/session#create", "appVersion": "0.1.0", "releaseStage": "development",
    "firstReceived": "2015-11-27T15:26:11.000Z", "receivedAt": "2015-11-27T15:26:11.000Z",
    "requestUrl": "http://localhost:3000/admin/raise_exception",
    "userId": "5642494942656e7eac000004",
    "url": "https://app.bugsnag.com/my-company/my-test-project/errors/56b9ca7f17025f8756f69054?event_id=56b9ca7f17025f8756f69054",
    "severity": "error",
    "createdIssue": {
      "id": "BUG123", "number": 3, "type": "bugify", "url": "http://demo.bugify.com/issues/3"
    },
    "metaData": {"someData": {"key": "value", "setOfKeys": {"key": "value", "key2": "value"}}},
    "stackTrace": [
      {
        "inProject": true, "lineNumber": 1234, "columnNumber": 123,
        "file": "controllers/auth/session_controller.rb", "method": "create",
        "code": {"1233": "    if problem?", "1234": "      raise 'something went wrong'"}
      }
    ]
  }
}"""
_TRIGGER = rb'{"type": "exception", "message": "1000th exception"}'
RESOLVED = FIRING.replace(
    _TRIGGER,
    rb'{"type": "errorStateManualChange", "message": "Marked as fixed", "stateChange": "fixed"}',
)
SPIKE = FIRING.replace(
    _TRIGGER, rb'{"type": "projectSpiking", "message": "Project Spiking", "rate": 5000}'
)


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"content-type": "application/json"}, body, {"token": secret})
