"""An HTTP check that went down and came up again, recorded and published by others."""

from bot.contract import RawRequest

FIRING = rb"""{
    "second_probe": {"ip": "185.39.146.214", "location": "Stockholm 2, Sweden", "ipv6": "2a02:752:100:e::4002"},
    "check_type": "HTTP",
    "first_probe": {"ip": "85.93.93.123", "location": "Strasbourg 5, France", "ipv6": ""},
    "tags": [],
    "check_id": 803318,
    "current_state": "DOWN",
    "check_params": {
        "url": "/",
        "encryption": false,
        "hostname": "api.alerta.io",
        "basic_auth": false,
        "port": 80,
        "header": "User-Agent:Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
        "ipv6": false,
        "full_url": "http://api.alerta.io/"
    },
    "previous_state": "UP",
    "check_name": "Alerta API on OpenShift",
    "version": 1,
    "state_changed_timestamp": 1498861543,
    "importance_level": "HIGH",
    "state_changed_utc_time": "2017-06-30T22:25:43",
    "long_description": "HTTP Server Error 503 Service Unavailable",
    "description": "HTTP Error 503"
}"""
RESOLVED = rb"""{
    "second_probe": {},
    "check_type": "HTTP",
    "first_probe": {"ip": "185.70.76.23", "location": "Athens, Greece", "ipv6": ""},
    "tags": [],
    "check_id": 803318,
    "current_state": "UP",
    "check_params": {
        "url": "/",
        "encryption": false,
        "hostname": "api.alerta.io",
        "basic_auth": false,
        "port": 80,
        "header": "User-Agent:Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
        "ipv6": false,
        "full_url": "http://api.alerta.io/"
    },
    "previous_state": "DOWN",
    "check_name": "Alerta API on OpenShift",
    "version": 1,
    "state_changed_timestamp": 1498861843,
    "importance_level": "HIGH",
    "state_changed_utc_time": "2017-06-30T22:30:43",
    "long_description": "OK",
    "description": "OK"
}"""


def sent(body: bytes, secret: str) -> RawRequest:
    return RawRequest({}, body, {"token": secret})
