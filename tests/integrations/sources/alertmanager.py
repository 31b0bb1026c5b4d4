"""A request of Alertmanager 0.25, recorded."""

from bot.contract import RawRequest

FIRING = (
    rb'{"receiver":"bot","status":"firing","alerts":[{"status":"firing","labels":{"alertname":'
    rb'"TargetDown","cluster":"eu1","instance":"127.0.0.1:19099","job":"app","service":"checkout",'
    rb'"severity":"critical"},"annotations":{"description":"value 0","runbook_url":'
    rb'"https://example.test/rb/failover","summary":"127.0.0.1:19099 is down"},"startsAt":'
    rb'"2026-11-23T21:19:58.632Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":'
    rb'"http://vm:19090/graph?g0.expr=up%7Bjob%3D%22app%22%7D+%3D%3D+0\u0026g0.tab=1",'
    rb'"fingerprint":"468b1d51ea167ee1"}],"groupLabels":{"alertname":"TargetDown","cluster":"eu1"},'
    rb'"commonLabels":{"alertname":"TargetDown","cluster":"eu1","instance":"127.0.0.1:19099",'
    rb'"job":"app","service":"checkout","severity":"critical"},"commonAnnotations":{"description":'
    rb'"value 0","runbook_url":"https://example.test/rb/failover","summary":'
    rb'"127.0.0.1:19099 is down"},"externalURL":"http://vm:19093","version":"4","groupKey":'
    rb'"{}:{alertname=\"TargetDown\", cluster=\"eu1\"}","truncatedAlerts":0}'
)
RESOLVED = FIRING.replace(b'"status":"firing"', b'"status":"resolved"').replace(
    b"0001-01-01T00:00:00Z", b"2026-11-23T21:24:58.632Z"
)


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"authorization": f"Bearer {secret}"}, body)
