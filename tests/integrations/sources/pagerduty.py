"""The incident of PagerDuty's documentation of webhooks v3, triggered and resolved."""

import hashlib
import hmac

from bot.contract import RawRequest

FIRING = rb"""{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":
"incident.triggered","resource_type":"incident","occurred_at":"2020-10-02T18:45:22.169Z","agent":
{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":"PLH1HKV","self":
"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},
"client":{"name":"PagerDuty"},"data":{"id":"PGR0VU2","type":"incident","self":
"https://api.pagerduty.com/incidents/PGR0VU2","html_url":
"https://acme.pagerduty.com/incidents/PGR0VU2","number":2,"status":"triggered","incident_key":
"d3640fbd41094207a1c11e58e46b1662","created_at":"2020-04-09T15:16:27Z","title":
"A little bump in the road","service":{"html_url":"https://acme.pagerduty.com/services/PF9KMXH",
"id":"PF9KMXH","self":"https://api.pagerduty.com/services/PF9KMXH","summary":"API Service","type":
"service_reference"},"assignees":[{"html_url":"https://acme.pagerduty.com/users/PTUXL6G","id":
"PTUXL6G","self":"https://api.pagerduty.com/users/PTUXL6G","summary":"User 123","type":
"user_reference"}],"escalation_policy":{"html_url":
"https://acme.pagerduty.com/escalation_policies/PUS0KTE","id":"PUS0KTE","self":
"https://api.pagerduty.com/escalation_policies/PUS0KTE","summary":"Default","type":
"escalation_policy_reference"},"teams":[{"html_url":"https://acme.pagerduty.com/teams/PFCVPS0",
"id":"PFCVPS0","self":"https://api.pagerduty.com/teams/PFCVPS0","summary":"Engineering","type":
"team_reference"}],"priority":{"html_url":"https://acme.pagerduty.com/account/incident_priorities",
"id":"PSO75BM","self":"https://api.pagerduty.com/priorities/PSO75BM","summary":"P1","type":
"priority_reference"},"urgency":"high","conference_bridge":{"conference_number":
"+1 1234123412,,987654321#","conference_url":"https://example.com"},"resolve_reason":null}}}"""
RESOLVED = FIRING.replace(b"incident.triggered", b"incident.resolved").replace(
    b'"status":"triggered"', b'"status":"resolved"'
)


def signature(body: bytes, secret: str) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"x-pagerduty-signature": signature(body, secret)}, body)
