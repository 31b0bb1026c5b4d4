"""What may fail, and what it stands on: the graph of the access paths begins here."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.catalog.entry import STRICT

_SERVICE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_NODE = re.compile(r"slack|internet|[a-z][a-z0-9_]{0,30}:[a-z0-9][a-z0-9_./-]{0,62}")


def _node(value: str) -> str:
    if not _NODE.fullmatch(value):
        raise ValueError(f"{value!r} must be kind:name, such as dns:corp, or slack")
    return value


def service_or_node(value: str) -> str:
    """The id of a service, or what may fail. Raises `ValueError`."""
    return value if _SERVICE.fullmatch(value) else _node(value)


NodeId = Annotated[
    str,
    AfterValidator(_node),
    Field(
        description="what may fail: slack, internet, or kind:name such as dns:corp, sso:okta, "
        "vpn:office, k8s:main, region:eu-1, network:corp, service:ID, path:NAME, target:NAME, "
        "credential:NAME, jackline:store"
    ),
]


class Node(BaseModel):
    """Something that may fail, and what it stands on: ``dns:corp`` on ``network:corp``.

    ``jackline:store``, ``:placement``, ``:secrets``, ``:chat`` and ``:identity`` are the bot's own.
    """

    model_config = STRICT

    id: NodeId
    title: str = ""
    depends_on: list[NodeId] = []
