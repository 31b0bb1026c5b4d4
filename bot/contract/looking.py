"""What all actions have alike that only look."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Connection, Effect, Preview


class Looking:
    """An action that changes nothing; `apply` says what it found."""

    effect: ClassVar[Effect] = Effect.READ
    reverts: ClassVar[bool] = False

    async def preview(self, params: Any, connection: Connection) -> Preview:  # noqa: ANN401 - any action's
        """Looking changes nothing."""
        return Preview()

    async def verify(self, params: Any, connection: Connection) -> bool | None:  # noqa: ANN401 - any action's
        """There is nothing that could have failed to take effect."""
        return True

    def undo(self, params: Any, state: Mapping[str, Any]) -> Call | None:  # noqa: ANN401 - any action's
        """Nor is there anything to take back."""
        return None
