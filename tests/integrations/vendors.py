"""What any vendor may answer to a change, and what that means: each adds its own refusal."""

from bot.errors import AuthFailed, Retryable, TargetError, Unknown
from tests.servers.http_app import Answer

ANSWERS: list[tuple[Answer, type[TargetError]]] = [
    (Answer(403, "{}"), AuthFailed),
    (Answer(429, "{}", headers={"Retry-After": "3"}), Retryable),
    (Answer(500, "broke"), Unknown),
    (Answer(202, "a proxy's page"), Unknown),
    (Answer(drop=True), Unknown),
]
