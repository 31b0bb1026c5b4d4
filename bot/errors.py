"""Every error Jackline raises on purpose; the class decides the reaction.

JacklineError
├── BadInput            the caller's mistake; shown to them, never retried (CLI exit 2, HTTP 4xx)
│   ├── BadSetting      a setting at start
│   └── NotAllowed      the person may not do this (HTTP 403)
├── NotFound            no such incident, run, runbook … (HTTP 404)
├── Conflict            right question, wrong moment: state moved on (HTTP 409)
├── Unavailable         we cannot keep a promise right now (HTTP 503, ask again)
├── Untrusted           a file that is not what its maker signed or sealed: not used at all
└── TargetError         an integration's report about one call to its target
    ├── NotSent         nothing reached the target: the next access path may be tried
    ├── Retryable       the target asked us to come back (may carry ``retry_after`` seconds)
    ├── AuthFailed      the credential was refused; retrying is pointless and noisy
    ├── Rejected        the target understood and said no (``partly``: once it had begun)
    └── Unknown         sent, and nobody knows whether it took effect: never send it again blindly
"""


class JacklineError(Exception):
    """Base of all errors with a message fit for a person.

    ``hint`` says what to do about it, in one sentence.
    """

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(JacklineError):
    """The caller's mistake."""


class BadSetting(BadInput):
    """A setting that Jackline cannot start with; ``field`` is the environment variable."""


class NotAllowed(BadInput):
    """The person is known but may not do this, or is not known at all."""


class NotFound(JacklineError):
    """The thing named does not exist."""


class Conflict(JacklineError):
    """The thing moved on between what the person saw and what they clicked."""


class Unavailable(JacklineError):
    """A promise (such as: it is on disk) cannot be kept right now."""


class Untrusted(JacklineError):
    """What was handed over is not what its maker signed or sealed."""


class TargetError(JacklineError):
    """Base of what an integration reports about a call to its target."""


class NotSent(TargetError):
    """Nothing reached the target, so another access path may be tried."""


class Retryable(TargetError):
    """The target asked us to come back; ``retry_after`` is in seconds when it said when."""

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class AuthFailed(TargetError):
    """The credential was refused."""


class Rejected(TargetError):
    """The target understood the request and refused it.

    ``partly``: it had begun, and nobody can tell whether it did a part before it failed.
    """

    def __init__(
        self, message: str, *, hint: str = "", field: str = "", partly: bool = False
    ) -> None:
        super().__init__(message, hint=hint, field=field)
        self.partly = partly


class Unknown(TargetError):
    """Sent, outcome not known: reconcile by reading, never send again blindly."""
