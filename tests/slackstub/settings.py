"""What a test may turn while the stub runs: time limits, limits of rate, delivery, faults' scope.

The defaults are Slack's own figures, so a test that sets nothing meets what production meets.
"""

from dataclasses import dataclass, field

SUBSCRIPTIONS = (
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "channel_rename",
    "channel_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "message",
    "pin_added",
    "pin_removed",
    "reaction_added",
    "reaction_removed",
)


@dataclass
class Settings:
    """Every field may be given to `SlackStub(...)` or changed later by `configure(...)`."""

    # whole outage: each HTTP call and each socket is cut off without an answer
    down: bool = False
    # sockets stay open but say nothing, not even pong: the "dead socket, healthy process" case
    sockets_frozen: bool = False
    latency: float = 0.0
    latencies: dict[str, float] = field(default_factory=dict)

    rate_limits: bool = False
    rate_window: float = 60.0
    post_interval: float = 1.0
    post_burst: int = 3

    trigger_ttl: float = 3.0
    response_url_ttl: float = 1800.0
    response_url_uses: int = 5

    ack_timeout: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    subscriptions: tuple[str, ...] = SUBSCRIPTIONS
    # Slack tells an app about its own messages too, and the app has to ignore them
    echo_own_events: bool = True
    # the chat:write.public scope: a bot may post to public channels that it has not joined
    public_post: bool = False
    # what each answer's header says that the token may do; none is sent while this is empty
    scopes: str = ""

    delivery: str = "socket"
    events_url: str = ""
    commands_url: str = ""
    interactivity_url: str = ""
    ping_interval: float = 10.0
