"""A BMC that speaks IPMI 2.0 over UDP, on pyghmi; run as a program, it keeps its state in a file.

`python ipmi_bmc.py PORT`, in a folder of its own. The host follows an order `late` seconds later.
`state.json` is there for tests to read and to change.
"""

import json
import struct
import sys
import time
from pathlib import Path
from typing import Any

from pyghmi.ipmi import bmc

HOST, USER, PASSWORD = "127.0.0.1", "ops", "ipmi-test-password"
STATE = Path("state.json")
START: dict[str, Any] = {
    "power": "on", "goes": [], "late": 0.3, "orders": 0, "boot": "0000000000", "sel": [],
    "mute": False, "stuck": False, "console": "",
}  # fmt: skip
STORAGE, CHASSIS = 0x0A, 0x00  # network functions
ACPI_SOFT_OFF, ACPI_WORKING = 6, 0


def settled(state: dict[str, Any]) -> dict[str, Any]:
    """As it is by now: what was ordered has come true if its time is past."""
    due = [(at, power) for at, power in state["goes"] if at <= time.time()]
    for at, power in due:
        state["power"] = power
        state["sel"].append([int(at), ACPI_WORKING if power == "on" else ACPI_SOFT_OFF])
    state["goes"] = state["goes"][len(due) :]
    return state


def read() -> dict[str, Any]:
    return settled(json.loads(STATE.read_text()))


def write(state: dict[str, Any]) -> None:
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(state))
    part.replace(STATE)  # whoever reads it never sees half of it


class Bmc(bmc.Bmc):  # type: ignore[misc]
    iohandler = staticmethod(lambda typed: None)

    def is_active(self) -> bool:
        return True

    def activate_payload(self, request: dict[str, Any], session: Any) -> None:
        """Who opens the console sees `console`, once."""
        super().activate_payload(request, session)
        if self.sol is not None:
            self.sol.send_data(read()["console"].encode())

    def get_power_state(self) -> str:
        return str(read()["power"])

    def power_off(self) -> None:
        self._order("off")

    def power_on(self) -> None:
        self._order("on")

    def power_shutdown(self) -> None:
        self._order("off")

    def power_reset(self) -> int | None:
        return self._restart()

    def power_cycle(self) -> int | None:
        return self._restart("off")

    def _restart(self, *between: str) -> int | None:
        if read()["power"] == "off":
            return 0xD5  # not in the present state
        self._order(*between, "on")
        code: int | None = read().get("code")
        return code

    def _order(self, *powers: str) -> None:
        state, now = read(), time.time()
        state["orders"] += 1
        if not state["stuck"]:
            late = state["late"]
            state["goes"] = [(now + late * (1 + 4 * i), power) for i, power in enumerate(powers)]
        write(state)

    def handle_raw_request(self, request: dict[str, Any], session: Any) -> None:
        function, command, data = request["netfn"], request["command"], request["data"]
        state = read()
        write(state)
        if function == CHASSIS and command == 2 and state["mute"]:
            return
        if function == STORAGE and command in (0x40, 0x43):
            entries = state["sel"]
            answer = self._log_entry(entries, data) if command == 0x43 else self._log(entries)
            session.send_ipmi_response(data=list(answer)) if answer else (
                session.send_ipmi_response(code=0xCB)
            )
            return
        if function == CHASSIS and command == 8 and data[0] == 5:
            write({**state, "boot": bytes(data[1:6]).hex()})
            session.send_ipmi_response()
            return
        if function == CHASSIS and command == 9 and data[0] == 5:
            session.send_ipmi_response(data=[1, 5, *bytes.fromhex(state["boot"])])
            return
        super().handle_raw_request(request, session)

    def _log(self, entries: list[list[int]]) -> bytes:
        """How many entries there are, with room for more."""
        last = entries[-1][0] if entries else 0
        return struct.pack("<BHHIIB", 0x51, len(entries), 4096, last, 0, 0)

    def _log_entry(self, entries: list[list[int]], data: bytes) -> bytes:
        """The entry asked for, first or last if so named, and the number of the next."""
        (wanted,) = struct.unpack_from("<H", bytes(data), 2)
        number = {0: 1, 0xFFFF: len(entries)}.get(wanted, wanted)
        if not 1 <= number <= len(entries):
            return b""
        at, event = entries[number - 1]
        after = number + 1 if number < len(entries) else 0xFFFF
        # A system event of the power state's sensor: type 0x22, read as sensor-specific.
        record = struct.pack("<HBIHBBBBBBB", number, 2, at, 0x20, 4, 0x22, 1, 0x6F, event, 255, 255)
        return struct.pack("<H", after) + record


if __name__ == "__main__":
    write(START)
    server = Bmc({USER: PASSWORD}, port=int(sys.argv[1]), address=HOST)
    Path("ready").touch()
    server.listen()
