"""Gets deliveries to Slack, and finds out what became of those that were interrupted.

After a crash or a lost answer it is looked for (`bot.chat.slack.search`) before it is sent again.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.catalog import Catalog
from bot.chat.cards import Cards, Rendered
from bot.chat.export import exported
from bot.chat.places import team_in
from bot.chat.slack.calls import MISSING_SCOPE, code_of, granted_scopes, slack_errors
from bot.chat.slack.channel import NAME, SUFFIXES, ChannelOps
from bot.chat.slack.client import SlackClient
from bot.chat.slack.installations import Installed
from bot.chat.slack.manifest import missing_scopes
from bot.chat.slack.methods import POST
from bot.chat.slack.pace import Limits
from bot.chat.slack.search import EVENT_TYPE, Search, bound, file_of, in_team, is_private, paced
from bot.chat.slack.standing import Standing
from bot.delivery import Binding, Job, Message
from bot.errors import AuthFailed, JacklineError, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.incidents import Incident, Incidents
from bot.log import get
from bot.postmortems.exports import Exports
from bot.store import Store, now

log = get("slack")
_GONE = ("is_archived", "is_inactive", "channel_not_found", "not_in_channel")
# not in the incident's channel, or not by us
_ELSEWHERE = ("digest", "react", "open_channel", "leave")
_INVITED = 100  # by one call, Slack takes no more
LATE = timedelta(seconds=30)
_SOON = 2  # seconds until it is tried again while the channel is being unarchived or replaced
_LONGEST = 3600  # seconds until a channel that is archived is tried again
# they show what is, and when it began, not what was said
_STATE = ("card", "digest", "run", "question")


class SlackSurface:
    """Implements ``bot.delivery.Surface``. ``down_since`` is None while Slack answers."""

    name = "slack"

    def __init__(
        self,
        client: SlackClient,
        store: Store,
        cards: Cards,
        catalog: Callable[[], Catalog],
        digest_channel: str,
        pictures: Path,
        incidents: Incidents,
        limits: Limits,
        standing: Standing,
        exports: Exports,
        installed: Installed | None = None,
    ) -> None:
        self.client = client
        self.store = store
        self.cards = cards
        self.catalog = catalog
        self.digest_channel = digest_channel
        self.pictures = pictures
        self.incidents = incidents
        self.down_since: datetime | None = None
        self.back_since: datetime | None = None  # when the last outage that we saw ended
        self._me: dict[str, str] = {}
        self.key = ""  # of a workspace that Jackline was installed in by its own page
        if installed is not None:
            self.key = installed.key
            self._me = {
                "team": installed.team_id, "enterprise": installed.enterprise_id,
                "user": installed.bot_user_id, "bot": installed.bot_id, "key": installed.key,
            }  # fmt: skip
        self.limits = limits
        self._exports = exports
        self._channel = ChannelOps(client, store, limits, incidents)
        self.standing = standing
        self._search = Search(client, store, limits, self.key)

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Does one job. Raises the errors of ``bot.errors.TargetError``."""
        try:
            value = await self._deliver(job)
        except (NotSent, Unknown):
            self.down_since = self.down_since or now()
            raise
        except AuthFailed as error:
            self.standing.token_refused(error)
            raise
        except Rejected as error:
            if code_of(error) == MISSING_SCOPE:
                self.standing.lacks(job.op, error.field)
            if job.op == "open_channel":
                await self.no_channel(job, str(error))
            moved = await self._moved(job, code_of(error))
            if moved:
                raise Retryable(f"It is said anew: {error.message}", retry_after=0.1) from error
            if (
                moved is None and code_of(error) == "is_archived" and job.op != "digest"
            ):  # it waits, nothing is lost
                soon = await self._channel.shut(job)
                pause = _SOON if soon else min(_LONGEST, 30 * 2 ** min(job.attempt, 7))
                raise Retryable("The channel is archived.", retry_after=pause) from error
            raise
        self._back()
        return value

    async def _moved(self, job: Job, code: str) -> bool | None:
        """Whether the place of a job is gone, and it is to be done in another one; False where that
        is done without it, None where it has no other place.

        A channel that was archived or deleted, or that we were taken out of, is replaced while its
        incident is going on; a message that somebody deleted is posted anew.
        """
        channel = job.channel.get("channel", "")
        gone = code in _GONE and job.op not in _ELSEWHERE
        edited = job.posted if job.message and job.op in ("say", "digest") else {}
        if not (gone and channel) and not (edited and code in (*_GONE, "message_not_found")):
            return None
        async with self.store.write() as session:
            if edited and job.message and job.message.id:
                await self.incidents.outbox.forget(session, job.message.id, edited["channel"])
            opened = True
            if gone and edited.get("channel", channel) == channel:
                opened = await self.incidents.channel_lost(session, job.incident_id, channel, code)
        return job.op in ("say", "upload", "digest") if opened else None

    async def no_channel(self, job: Job, why: str) -> None:
        """Says so where it is seen without the channel."""
        async with self.store.write() as session:
            await self.incidents.channel_refused(session, job.incident_id, why)

    def _back(self) -> None:
        if self.down_since is not None:
            self.down_since, self.back_since = None, now()

    async def _deliver(self, job: Job) -> dict[str, Any]:
        verbs = {
            "open_channel": self._open,
            "say": self._post,
            "digest": self._post_digest,
            "upload": self._upload,
            "export": self._export,
            "topic": self._topic,
            "pin": self._pin,
            "invite": self._invite,
            "rename": self._channel.rename,
            "leave": self._channel.leave,
            "bookmark": self._channel.bookmark,
            "archive": self._channel.archive,
            "unarchive": self._channel.unarchive,
            "react": self._react,
        }
        if job.op not in verbs:
            raise Rejected(f"Slack has no operation {job.op!r}")
        return await verbs[job.op](job)

    async def _post(self, job: Job) -> dict[str, Any]:
        return await self._say(job, job.channel["channel"])

    async def _post_digest(self, job: Job) -> dict[str, Any]:
        channel = self._shared(job)
        return await self._say(job, channel) if channel else {}

    def _shared(self, job: Job) -> str:
        """Where everybody reads, or the channel that an update is for."""
        return str(job.payload.get("channel", self.digest_channel))

    async def find(self, job: Job) -> dict[str, Any] | None:
        """What became of a job that was begun before; None if it was not done."""
        if job.op == "open_channel":
            return await self._search.channel(job, job.payload["name"], (await self.me())["user"])
        if job.op in ("say", "digest") and job.message and not job.posted:
            channel = self._shared(job) if job.op == "digest" else job.channel["channel"]
            return await self._search.message(job, channel, job.message) if channel else {}
        if job.op in ("upload", "export"):
            return await self._search.file(job)
        if job.op == "bookmark":
            return await self._channel.bookmarked(job)
        return None

    async def me(self) -> dict[str, str]:
        """Team, enterprise (or empty), and the bot's user and bot id."""
        if not self._me:
            async with slack_errors("auth.test", once=False):
                answer = await self.client.auth_test()
            self._me = {
                "team": str(answer["team_id"]), "user": str(answer["user_id"]),
                "enterprise": str(answer.get("enterprise_id") or ""),
                "bot": str(answer.get("bot_id") or ""),
            }  # fmt: skip
            whole = answer.get("is_enterprise_install") and self._me["enterprise"]
            self._me["key"] = self._me["enterprise" if whole else "team"]
        return self._me

    @property
    def keys(self) -> set[str]:
        """The workspace, or the enterprise that the app is installed for, once that is known."""
        return {self._me["key"]} if self._me else set()

    @property
    def places(self) -> set[str]:
        """The workspace and the enterprise that it speaks in, as far as they are known."""
        return {self._me[each] for each in ("team", "enterprise") if self._me.get(each)}

    async def _open(self, job: Job) -> dict[str, Any]:
        """Creates the channel. A name that somebody else holds is left alone: ours gets a suffix.

        Whatever Slack answers, a private one is never opened as a public one.
        """
        wanted, private = job.payload["name"], is_private(job)
        for suffix in SUFFIXES:
            name = wanted[: NAME - len(suffix)] + suffix
            try:
                async with paced(self.limits, job, "conversations.create", once=True):
                    answer = await self.client.conversations_create(
                        name=name, is_private=private, **in_team(job)
                    )
            except Rejected as error:
                if code_of(error) != "name_taken":
                    raise
                if ours := await self._search.channel(job, name, (await self.me())["user"]):
                    return ours
                continue
            channel: dict[str, Any] = answer["channel"]
            if private and not channel.get("is_private"):
                raise Rejected(f"Slack made {name} a public channel, where nothing is said")
            return bound(channel["id"], channel["name"], private=private, workspace=self.key)
        raise Rejected(f"Slack has channels named {wanted} up to {wanted}-5 already")

    async def _rendered(self, job: Job) -> Rendered:
        if job.message is None:
            raise Rejected("nothing to say")
        async with self.store.read() as session:
            if job.op == "say":  # what is drawn now may be for those alone who are in a new channel
                at = await session.get(Binding, (self.name, f"channel:{job.incident_id}"))
                if at is None or at.value["channel"] != job.channel["channel"]:
                    raise Retryable("The incident has left that channel.", retry_after=0.1)
            return await self.cards.render(session, job.message)

    async def _say(self, job: Job, channel: str) -> dict[str, Any]:
        late = job.posted.get("late", "") if job.posted else self._late(job.message)
        rendered = (await self._rendered(job)).marked(late)
        if job.posted:
            async with paced(self.limits, job, "chat.update"):
                await self.client.chat_update(
                    channel=job.posted["channel"], ts=job.posted["ts"],
                    text=rendered.text, blocks=rendered.blocks,
                )  # fmt: skip
            return {}
        number = job.message.id if job.message else 0
        thread = await self._search.thread(job.message)
        if rendered.whole:
            async with paced(self.limits, job, "files.completeUploadExternal", once=True):
                await self.client.files_upload_v2(
                    channel=channel, content=rendered.whole, filename=file_of(job.message),
                    title=rendered.title, initial_comment=rendered.text, thread_ts=thread,
                    request_file_info=False,
                )  # fmt: skip
            return {}
        async with paced(self.limits, job, POST, once=True, channel=channel):
            answer = await self.client.chat_postMessage(
                channel=channel, text=rendered.text, blocks=rendered.blocks,
                unfurl_links=False, unfurl_media=False, thread_ts=thread,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"message_id": number}},
            )  # fmt: skip
        return {"channel": channel, "ts": answer["ts"]} | ({"late": late} if late else {})

    def _late(self, message: Message | None) -> str:
        """What is written under a message that people elsewhere saw long before Slack had it."""
        moment = now()
        if message is None or message.kind in _STATE or moment - message.created_at < LATE:
            return ""
        outage = self.down_since or (self.back_since or message.created_at) > message.created_at
        form = "%H:%M" if moment - message.created_at < timedelta(hours=20) else "%Y-%m-%d %H:%M"
        why = "while Slack was down" if outage else "and late in Slack"
        return f"said at {message.created_at:{form}} UTC {why}"

    async def _upload(self, job: Job) -> dict[str, Any]:
        path = self.pictures / job.payload["file"]
        async with paced(self.limits, job, "files.completeUploadExternal", once=True):
            await self.client.files_upload_v2(
                channel=job.channel["channel"], file=str(path), filename=path.name,
                title=job.payload["title"], request_file_info=False,
            )  # fmt: skip
        return {}

    async def _export(self, job: Job) -> dict[str, Any]:
        """The incident as it is now, as a file."""
        async with self.store.read() as session:
            incident = await session.get_one(Incident, job.incident_id)
            try:
                file = await exported(self._exports, session, incident, job.payload["kind"])
            except JacklineError as error:  # as a postmortem that is not approved for customers
                raise Rejected(str(error)) from error
        async with paced(self.limits, job, "files.completeUploadExternal", once=True):
            await self.client.files_upload_v2(
                channel=job.channel["channel"], content=file.content, filename=job.payload["file"],
                title=job.payload["title"], request_file_info=False,
            )  # fmt: skip
        return {}

    async def _topic(self, job: Job) -> dict[str, Any]:
        async with paced(self.limits, job, "conversations.setTopic"):
            await self.client.conversations_setTopic(
                channel=job.channel["channel"], topic=job.payload["topic"]
            )
        return {}

    async def _pin(self, job: Job) -> dict[str, Any]:
        if not job.posted:
            raise Retryable("The card is not in the new channel yet.", retry_after=1)
        await self._unless(
            job, "already_pinned", "pins.add",
            lambda: self.client.pins_add(channel=job.posted["channel"], timestamp=job.posted["ts"]),
        )  # fmt: skip
        return {}

    async def _react(self, job: Job) -> dict[str, Any]:
        at = job.payload
        await self._unless(
            job, "already_reacted", "reactions.add",
            lambda: self.client.reactions_add(
                channel=at["channel"], timestamp=at["ts"], name=at["name"]
            ),
        )  # fmt: skip
        return {}

    async def _invite(self, job: Job) -> dict[str, Any]:
        await self.me()
        places = {*self.places, team_in(job.workspace)}
        people = [p for i in job.payload["people"] if (p := self.catalog().person(i))]
        users = [s.split(":")[1] for p in people for s in p.slack if s.split(":")[0] in places]
        for group in job.payload.get("groups", []):
            place, _, group_id = group.rpartition(":")
            if place in places or place == self.key:
                users += await self._members(job, group_id)
        users = list(dict.fromkeys(users))
        for at in range(0, len(users), _INVITED):
            await self._ask_in(job, users[at : at + _INVITED])
        return {}

    async def _ask_in(self, job: Job, users: list[str]) -> None:
        """``force``: else one who is there already would keep the others out."""
        await self._unless(
            job, "already_in_channel", "conversations.invite",
            lambda: self.client.conversations_invite(
                channel=job.channel["channel"], users=users, force=True
            ),
        )  # fmt: skip

    async def _members(self, job: Job, group: str) -> list[str]:
        """A user group's members: as Slack says, else as it said last. Nobody waits for it."""
        kept = f"{self.key}:{group}" if self.key else group
        try:
            async with paced(self.limits, job, "usergroups.users.list"):
                answer = await self.client.usergroups_users_list(usergroup=group)
        except TargetError as error:
            log.warning("user_group_not_read", group=group, error=str(error))
            async with self.store.read() as session:
                known = await session.get(Binding, (self.name, f"usergroup:{kept}"))
            return list(known.value["users"]) if known else []
        users = [str(user) for user in answer["users"]]
        async with self.store.write(silent=True) as session:
            found = Binding(surface=self.name, key=f"usergroup:{kept}", value={"users": users})
            await session.merge(found)
        return users

    async def _unless(
        self, job: Job, fine: str, method: str, call: Callable[[], Awaitable[Any]]
    ) -> None:
        try:
            async with paced(self.limits, job, method):
                await call()
        except Rejected as error:
            if code_of(error) != fine:
                raise

    async def close(self) -> None:
        """Lets connections go."""
        await self.client.close()

    async def look(self) -> None:
        """One look whether Slack answers, and takes our token."""
        try:
            async with slack_errors("auth.test", once=False):
                answer = await self.client.auth_test()
        except AuthFailed as error:  # it answers
            self.standing.token_refused(error)
            self._back()
        except TargetError:
            self.down_since = self.down_since or now()
        else:
            self.standing.token_works(missing_scopes(granted_scopes(answer)))
            self._back()
