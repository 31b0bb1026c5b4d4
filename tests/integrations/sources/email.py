"""A mail as Grafana writes it, in both forms that it sends of itself; from its documentation's words."""

from bot.contract import RawRequest

_MAIL = """\
Return-Path: <grafana@example.com>\r
Received: from mail.example.com (mail.example.com [192.0.2.25]) by jackline.example.com;\r
 Mon, 23 Nov 2026 21:19:59 +0000\r
From: Grafana <grafana@example.com>\r
To: email+TOKEN@jackline.example.com\r
Subject: [FIRING:1] DiskFull (db1 =?utf-8?Q?B=C3=BCro?=)\r
Date: Mon, 23 Nov 2026 21:19:58 +0000\r
Message-ID: <1@example.com>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="b1"\r
\r
--b1\r
Content-Type: text/html; charset=UTF-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<html><head><style>p {color: red}</style></head><body><p>The disk is =\r
full.</p><a href=3D"https://grafana.example.com/alerting/1">View alert</a></body></html>\r
--b1\r
Content-Type: text/plain; charset=UTF-8\r
\r
The disk is full.\r
View alert: https://grafana.example.com/alerting/1\r
--b1--\r
"""
FIRING = _MAIL.encode()
RESOLVED = _MAIL.replace("[FIRING:1]", "[RESOLVED]").replace("21:19:58", "21:24:58").encode()


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({"authorization": f"Bearer {secret}"}, body)
