"""A Create that a user of Opsgenie's webhook recorded in 2020 (names changed), and its Close.

The Close has the fields that Atlassian documents for it: no description and no details.
"""

from bot.contract import RawRequest

FIRING = rb"""{"action":"Create","alert":{"alertId":"7ec331d7-f5f3-4f78-a49c-2ad886df69fe-1593475564295",
"message":"asdf","tags":[],"tinyId":"8","entity":"","alias":
"7ec331d7-f5f3-4f78-a49c-2ad886df69fe-1593475564295","createdAt":1593475564295,"updatedAt":
1593475564636000000,"username":"user@example.com","userId":"e760568d-4e19-413e-9ff9-2661f416edbb",
"description":"","team":"operations","responders":[{"id":"6ee84e52-f33e-45d9-87ab-533fd69d5591",
"type":"team","name":"operations"}],"teams":["6ee84e52-f33e-45d9-87ab-533fd69d5591"],"actions":[],
"details":{},"priority":"P3","source":"user@example.com"},"source":{"name":"","type":"web"},
"integrationName":"operations_Webhook_2","integrationId":"cab111af-f56b-4886-b20a-f947ea3163e2",
"integrationType":"Webhook"}"""
RESOLVED = rb"""{"source":{"name":"","type":"web"},"alert":{"updatedAt":1593479164636001603,"tags":[],
"message":"asdf","username":"user@example.com","alertId":
"7ec331d7-f5f3-4f78-a49c-2ad886df69fe-1593475564295","source":"user@example.com","alias":
"7ec331d7-f5f3-4f78-a49c-2ad886df69fe-1593475564295","tinyId":"8","createdAt":1593475564295,
"userId":"e760568d-4e19-413e-9ff9-2661f416edbb","entity":""},"action":"Close","integrationId":
"cab111af-f56b-4886-b20a-f947ea3163e2","integrationName":"operations_Webhook_2"}"""


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"authorization": f"Bearer {secret}"}, body)
