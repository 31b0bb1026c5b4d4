"""How it stands between Slack and this process: its sockets, and what only a person can mend."""

from collections.abc import Sequence

from bot.errors import AuthFailed

_AGAIN = "Install the app again (api.slack.com/apps, Install App), and start Jackline with the new token."


def lacking(scopes: Sequence[str]) -> str:
    """Which scopes, and what to do."""
    word = "scope" if len(scopes) == 1 else "scopes"
    return (
        f"the {word} {', '.join(scopes)}: put what `jackline slack manifest` prints into the app's "
        "manifest, and install it again."
    )


class Standing:
    """Told by those who talk to Slack; shown in the console, by ``/readyz`` and in ``/metrics``."""

    def __init__(self, sockets: int) -> None:
        self.wanted = sockets  # 0 where Slack reaches us over HTTP
        self._open: set[int] = set()
        self._troubles: dict[str, str] = {}

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
        self._troubles["token"] = f"Nothing can be said in Slack: {error.message} {_AGAIN}"

    def uninstalled(self) -> None:
        """Slack told us so; the next good answer takes it back."""
        self._troubles["token"] = (
            f"The app was taken out of Slack, or its token was revoked. {_AGAIN}"
        )

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
        return " ".join(self._troubles.values())

    def state(self) -> str:
        """In one line, for who looks from outside."""
        sockets = f"{self.sockets} of {self.wanted} sockets" if self.wanted else "over HTTP"
        return "; ".join(filter(None, (sockets, self.words())))
