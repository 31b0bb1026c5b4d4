"""Listens to a host's serial console by Serial over LAN. Types nothing there, ever.

ipmitool ends the session in good order when its input ends: after the time to listen, when a
person cancels, and when the jump host loses us.
"""

import re
import time
from typing import Any, ClassVar

from bot.contract import Completed, Connection
from bot.errors import Rejected, TargetError

from .looks import Look
from .params import ConsoleParams
from .tool import failure, listening

_OPEN = "[SOL Session operational.  Use ~? for help]\n"
_SHOWN = 8000  # characters kept of the text: the end tells
_PLACED = re.compile(r"\x1b\[[\d;]*[Hf]")  # what follows stands elsewhere on the screen
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, clearing, the cursor's moves
    r"|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # titles and the like; one without an end is text
    r"|[ -/]*[0-~])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_TAKEN = "already active on another session", "activation limit reached"
_REFUSED = re.compile(r"(?:Error activating|Info:|BMC requests) (.*SOL.*)")
# What ipmitool says at the end when the session had not lasted until then.
_CUT = re.compile(r"already de-activated|No response|closed by BMC")


class Console(Look):
    """What a host prints on its serial console while somebody listens."""

    name: ClassVar[str] = "ipmi.console"
    Params: ClassVar[type[ConsoleParams]] = ConsoleParams

    async def apply(self, params: ConsoleParams, connection: Connection) -> dict[str, Any]:
        """What was heard until the session was cut is evidence too; silence after it is none."""
        began = time.monotonic()
        done = await listening(connection, params.seconds, "sol", "activate")
        listened = min(params.seconds, time.monotonic() - began)
        if done.status and _OPEN not in done.stdout:
            raise _refused(done, connection.settings["address"])
        heard = done.stdout.partition(_OPEN)[2] if _OPEN in done.stdout else done.stdout
        return {
            "text": "\n".join(readable(heard)[-params.lines :])[-_SHOWN:],
            "bytes": len(heard.replace("\ufffd", "?").encode()),
            "seconds": round(listened, 1),
            "cut": bool(_CUT.search(done.stderr)),
        }


def readable(heard: str) -> list[str]:
    """The lines as a person would have seen them last, without colours and empty ones."""
    plain = _SEQUENCE.sub("", _PLACED.sub("\n", heard))
    lines = (line.strip("\r").rpartition("\r")[2] for line in plain.split("\n"))
    return [line for line in (_CONTROL.sub("", each).rstrip() for each in lines) if line]


def _refused(done: Completed, address: str) -> TargetError:
    if any(words in done.stderr for words in _TAKEN):
        return Rejected(
            f"Somebody else has the console open at the BMC {address}, and keeps it.",
            hint="Ask them what they see; `ipmitool sol deactivate` would throw them out.",
        )
    if words := _REFUSED.search(done.stderr):
        return Rejected(
            f"The BMC at {address} opens no console: {words[1]}.",
            hint="See `ipmitool sol info` there: it must be enabled, and an Operator let in.",
        )
    return failure(done, address)
