"""The example of CloudEvents 1.0 itself, in structured mode."""

from bot.contract import RawRequest

SETTINGS = {
    "firing": "com.github.pull_request.*",
    "resolved": "com.github.issue.closed, com.github.pull_request.closed",
}
FIRING = (
    rb'{"specversion":"1.0","type":"com.github.pull_request.opened","source":'
    rb'"https://github.com/cloudevents/spec/pull","subject":"123","id":"A234-1234-1234",'
    rb'"time":"2018-04-05T17:31:00Z","comexampleextension1":"value","comexampleothervalue":5,'
    rb'"datacontenttype":"text/xml","data":"<much wow=\"xml\"/>"}'
)
RESOLVED = (
    FIRING.replace(b".opened", b".closed")
    .replace(b"A234", b"B234")
    .replace(b"17:31:00", b"18:02:11")
)


def sent(body: bytes, secret: str) -> RawRequest:
    media = "application/cloudevents+json; charset=UTF-8"
    return RawRequest({"content-type": media, "authorization": f"Bearer {secret}"}, body)
