"""GitHub's published example of a deployment_status, with the URLs of its API taken out."""

import hashlib
import hmac

from bot.contract import RawRequest

RESOLVED = rb"""{"action":"created","deployment_status":{"url":
"https://api.github.com/repos/Codertocat/Hello-World/deployments/145988746/statuses/209916254",
"id":209916254,"node_id":"MDE2OkRlcGxveW1lbnRTdGF0dXMyMDk5MTYyNTQ=","state":"success","creator":
{"login":"Codertocat","id":21031067,"type":"User","site_admin":false},"description":"",
"environment":"production","target_url":"","created_at":"2019-05-15T15:20:55Z","updated_at":
"2019-05-15T15:20:55Z","deployment_url":
"https://api.github.com/repos/Codertocat/Hello-World/deployments/145988746","repository_url":
"https://api.github.com/repos/Codertocat/Hello-World"},"deployment":{"id":145988746,"node_id":
"MDEwOkRlcGxveW1lbnQxNDU5ODg3NDY=","sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"master",
"task":"deploy","payload":{},"original_environment":"production","environment":"production",
"description":null,"created_at":"2019-05-15T15:20:53Z","updated_at":"2019-05-15T15:20:55Z",
"performed_via_github_app":null},"repository":{"id":186853002,"node_id":
"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=","name":"Hello-World","full_name":"Codertocat/Hello-World",
"private":false,"owner":{"login":"Codertocat","id":21031067,"type":"User"},"html_url":
"https://github.com/Codertocat/Hello-World","description":null,"fork":false,"created_at":
"2019-05-15T15:19:25Z","default_branch":"master"},"sender":{"login":"Codertocat","id":21031067,
"type":"User","site_admin":false}}"""
FIRING = RESOLVED.replace(b'"success"', b'"failure"').replace(b"15:20:55Z", b"15:12:40Z")


def signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sent(body: bytes, secret: str) -> RawRequest:
    headers = {
        "content-type": "application/json",
        "x-github-event": "deployment_status",
        "x-hub-signature-256": signature(body, secret),
    }
    return RawRequest(headers, body)
