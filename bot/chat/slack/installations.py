"""The workspaces that Jackline was installed in besides its own, as they are kept.

A token is sealed with a key that is not in the database, and leaves this module only in `Installed`,
which never shows it. The workspace of the settings' bot token has no row here.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, or_, update
from sqlmodel import col, select

from bot.chat.slack.tables import SlackInstallation, SlackInstallState
from bot.delivery import Delivery
from bot.errors import Unavailable
from bot.incidents import Incident
from bot.store import Store, now

STATE_AGE = timedelta(minutes=10)  # for somebody to choose a workspace and to allow it


@dataclass(frozen=True)
class Installed:
    """One installation with its token, as it is used."""

    key: str
    name: str
    team_id: str
    enterprise_id: str
    bot_id: str
    bot_user_id: str
    token: str = field(repr=False)


class Tokens:
    """Keeps tokens unreadable for who has the database without the key."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), 32, None, b"jackline slack installations").derive(key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def sealed(self, token: str, key: str) -> str:
        """For this workspace alone: moved to another one's row it opens nothing."""
        return self._fernet.encrypt(f"{key}|{token}".encode()).decode()

    def opened(self, seal: str, key: str) -> str:
        """Raises `Unavailable` where the seal is not ours and the workspace's."""
        try:
            owner, _, token = self._fernet.decrypt(seal.encode()).decode().partition("|")
        except InvalidToken:
            owner, token = "", ""
        if owner != key:
            raise Unavailable(
                f"The token of workspace {key} cannot be opened: the session key is another one.",
                hint="Install Jackline there again, or start it with the key of before.",
            )
        return token


class Installations:
    """``key`` is the one of the console's sessions, which all replicas share."""

    def __init__(self, store: Store, key: bytes) -> None:
        self.store = store
        self.tokens = Tokens(key)

    async def rows(self) -> Sequence[SlackInstallation]:
        """All, the removed ones as well, in the order of their names."""
        query = select(SlackInstallation).order_by(
            SlackInstallation.team_name, SlackInstallation.key
        )
        async with self.store.read() as session:
            return (await session.execute(query)).scalars().all()

    def installed(self, row: SlackInstallation) -> Installed:
        """Raises `Unavailable` where its token cannot be opened."""
        return Installed(
            row.key, row.name, row.team_id, row.enterprise_id, row.bot_id, row.bot_user_id,
            self.tokens.opened(row.token, row.key),
        )  # fmt: skip

    async def save(self, row: SlackInstallation, token: str) -> None:
        """Installed, for the first time or again: what waited for it is said now."""
        row.token = self.tokens.sealed(token, row.key)
        there = or_(
            col(Incident.workspace) == row.key, col(Incident.workspace).startswith(f"{row.key}:")
        )
        async with self.store.write() as session:
            await session.merge(row)
            await session.execute(
                update(Delivery)
                .where(col(Delivery.surface) == "slack", col(Delivery.state) == "pending")
                .where(col(Delivery.incident_id).in_(select(Incident.id).where(there)))
                .values(next_at=now())
            )

    async def remove(self, key: str, at: datetime) -> bool:
        """Whether it was there, and not installed after ``at``: Slack may tell of it late."""
        async with self.store.write() as session:
            row = await session.get(SlackInstallation, key, with_for_update=True)
            if row is None or row.removed_at is not None:
                return False
            if row.installed_at.replace(microsecond=0) > at:  # Slack tells the second alone
                return False
            row.removed_at, row.token = now(), ""
            return True

    async def begun(self, state: str, person: str) -> None:
        """Somebody is on their way to Slack; what nobody came back with is forgotten."""
        async with self.store.write() as session:
            await session.execute(
                delete(SlackInstallState).where(col(SlackInstallState.expires_at) < now())
            )
            session.add(
                SlackInstallState(
                    digest=_digest(state), person=person, expires_at=now() + STATE_AGE
                )
            )

    async def came_back(self, state: str, person: str) -> bool:
        """Whether this person began it, not long ago; it is worth nothing afterwards."""
        mine = col(SlackInstallState.digest) == _digest(state)
        async with self.store.write() as session:
            done = await session.execute(
                delete(SlackInstallState)
                .where(mine)
                .returning(col(SlackInstallState.person), col(SlackInstallState.expires_at))
            )
            found = done.one_or_none()
        return found is not None and found[0] == person and found[1] > now()


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
