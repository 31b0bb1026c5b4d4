"""Every method of Slack's Web API that Jackline calls: how often it may, and with which scopes.

The limiter, the app's manifest and `jackline doctor` go by this one table; a test holds it against
the calls in the code.
"""

from dataclasses import dataclass
from typing import Final

POST: Final = "chat.postMessage"
_T2, _T3, _T4 = 20, 50, 100  # calls a minute, workspace and app


@dataclass(frozen=True)
class Method:
    """``per_minute``: 0 where Slack names no limit that we could reach. All scopes are needed."""

    per_minute: int = 0
    scopes: tuple[str, ...] = ()


METHODS: dict[str, Method] = {
    "auth.test": Method(),
    POST: Method(0, ("chat:write",)),  # limited per channel instead
    "chat.postEphemeral": Method(_T4, ("chat:write",)),
    "chat.update": Method(_T3, ("chat:write",)),
    "bookmarks.add": Method(_T2, ("bookmarks:write",)),
    "bookmarks.list": Method(_T2, ("bookmarks:read",)),
    "conversations.archive": Method(_T2, ("channels:manage", "groups:write")),
    "conversations.create": Method(_T2, ("channels:manage", "groups:write")),
    "conversations.history": Method(_T3, ("channels:history", "groups:history")),
    "conversations.invite": Method(_T3, ("channels:manage", "groups:write")),
    "conversations.join": Method(_T3, ("channels:join",)),
    "conversations.rename": Method(_T2, ("channels:manage", "groups:write")),
    "conversations.replies": Method(_T3, ("channels:history", "groups:history")),
    "conversations.setTopic": Method(_T2, ("channels:manage", "groups:write")),
    "conversations.unarchive": Method(_T2, ("channels:manage", "groups:write")),
    "files.completeUploadExternal": Method(_T4, ("files:write",)),
    "files.getUploadURLExternal": Method(_T4, ("files:write",)),
    "oauth.v2.access": Method(_T4),
    "pins.add": Method(_T2, ("pins:write",)),
    "reactions.add": Method(_T3, ("reactions:write",)),
    "usergroups.users.list": Method(_T2, ("usergroups:read",)),
    "users.conversations": Method(_T3, ("channels:read", "groups:read")),
    "views.open": Method(_T4),
    "views.publish": Method(_T4),
    "views.update": Method(_T4),
}
