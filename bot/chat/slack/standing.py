"""How it stands between Slack and this process: its sockets, and what only a person can mend."""

from collections.abc import Sequence

from bot.errors import AuthFailed

_AGAIN = "Install the app again (api.slack.com/apps, Install App), and start Jackline with the new token."
_AGAIN_THERE = "Install it there again: /slack/install in the console."


def lacking(scopes: Sequence[str]) -> str:
    """Which scopes, and what to do."""
    word = "scope" if len(scopes) == 1 else "scopes"
    return (
        f"the {word} {', '.join(scopes)}: put what `jackline slack manifest` prints into the app's "
        "manifest, and install it again."
    )


class Standing:
    """Told by those who talk to Slack; shown in the console, by ``/readyz`` and in ``/metrics``.

    One is for all; `of` gives what it holds of a further workspace, which is said by its ``name``.
    """

    def __init__(self, sockets: int, name: str = "") -> None:
        self.wanted = sockets  # 0 where Slack reaches us over HTTP
        self.name = name
        self._others: dict[str, Standing] = {}
        self._open: set[int] = set()
        self._troubles: dict[str, str] = {}

    def of(self, key: str, name: str) -> "Standing":
        """How it stands with another workspace. Its ``name`` may be its key until it is known."""
        found = self._others.setdefault(key, Standing(0, name))
        if name != key:
            found.name = name
        return found

    @property
    def _again(self) -> str:
        return _AGAIN_THERE if self.name else _AGAIN

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    def opened(self, number: int) -> None:
        """A socket is open: so the app-level token is a good one."""
        self._open.add(number)
        self._troubles.pop("app token", None)

    def closed(self, number: int) -> None:
        """A socket is open no more."""
        self._open.discard(number)

    def app_token_refused(self, error: AuthFailed) -> None:
        """No socket can be opened."""
        self._troubles["app token"] = (
            f"Slack refuses the app-level token, so nothing said in Slack arrives here: "
            f"{error.message} Make a new one with connections:write, and start Jackline with it."
        )

    def token_refused(self, error: AuthFailed) -> None:
        """Nothing can be said in Slack."""
        self._troubles["token"] = f"Nothing can be said in Slack: {error.message} {self._again}"

    def uninstalled(self) -> None:
        """Slack told us so; the next good answer takes it back."""
        self._troubles["token"] = (
            f"The app was taken out of Slack, or its token was revoked. {self._again}"
        )

    def not_installed(self) -> None:
        """Something is to be said in a workspace that is not one of ours, or is no more."""
        self._troubles["token"] = f"Jackline is not installed there. {self._again}"

    def unreadable(self, why: str) -> None:
        """Its token is kept, and cannot be read."""
        self._troubles["token"] = why

    def lacks(self, method: str, scope: str) -> None:
        """One method is refused for want of a scope."""
        self._troubles["scope"] = (
            f"Slack refuses {method}: the app lacks {lacking([scope or '(Slack did not say)'])}"
        )

    def token_works(self, missing: Sequence[str] = ()) -> None:
        """Slack took the bot's token, which lacks these scopes."""
        self._troubles.pop("token", None)
        if missing:
            self._troubles["scopes"] = f"The app in Slack lacks {lacking(missing)}"
        else:
            self._troubles.pop("scopes", None)

    def words(self) -> str:
        """What a person must mend, or nothing."""
        others = (
            f"{each.name}: {words}" for each in self._others.values() if (words := each.words())
        )
        return " ".join([*self._troubles.values(), *others])

    def state(self) -> str:
        """In one line, for who looks from outside."""
        sockets = f"{self.sockets} of {self.wanted} sockets" if self.wanted else "over HTTP"
        return "; ".join(filter(None, (sockets, self.words())))
