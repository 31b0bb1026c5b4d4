"""Looks at what an nginx turns away, and changes it."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking

from .host import Host
from .params import ServerParams, ShedParams
from .shed import Shed

_HUNDRED = 100


class _Nginx:
    """What every verb here shares."""

    def target(self, params: ServerParams) -> str:
        return f"nginx/{params.server}"


class Status(Looking, _Nginx):
    """What is turned away, by nginx's own word where it is asked, and by its file."""

    name: ClassVar[str] = "nginx.status"
    Params: ClassVar[type[ServerParams]] = ServerParams

    async def apply(self, params: ServerParams, connection: Connection) -> dict[str, Any]:
        host = Host(connection)
        written, running = await host.written(), await host.running()
        now = running or written
        return {
            "percent": _by_service(now, host.settings.services),
            "written": _by_service(written, host.settings.services),
            "in_force": None if running is None else running == written,
            "retry_after": now.retry_after,
        }


class ShedLoad(_Nginx):
    """Turns a percentage of a service's requests away with 503, and says when to come back."""

    name: ClassVar[str] = "nginx.shed"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[ShedParams]] = ShedParams

    async def preview(self, params: ShedParams, connection: Connection) -> Preview:
        """By nginx's own word where it is asked; a file that is not in force is a change too."""
        host = Host(connection)
        prefix = host.prefix(params.service)
        written, running = await host.written(), await host.running()
        before = (running or written).percent.get(prefix, 0)
        waiting = written.percent.get(prefix, 0)
        more = params.percent - before
        change = Change(
            target=self.target(params),
            what=f"requests of {params.service} ({prefix}) turned away",
            before=f"{before}%" + (f"; {waiting}% at the next reload" if waiting != before else ""),
            after=f"{params.percent}%",
            share=more / _HUNDRED if more > 0 else None,
        )
        same = {before, waiting} == {params.percent}
        state = {"percent": before, "written": waiting}
        return Preview(changes=[] if same else [change], state=state)

    async def apply(self, params: ShedParams, connection: Connection) -> dict[str, Any]:
        """What others shed is kept as it is in the file."""
        host = Host(connection)
        prefix, written = host.prefix(params.service), await host.written()
        wanted = written.but(prefix, params.percent, host.settings.retry_after)
        await host.change(written, wanted)
        return {"percent": params.percent, "before": written.percent.get(prefix, 0)}

    async def verify(self, params: ShedParams, connection: Connection) -> bool | None:
        """None where the file is right, and nginx is not asked what it runs."""
        host = Host(connection)
        prefix = host.prefix(params.service)
        if (await host.written()).percent.get(prefix, 0) != params.percent:
            return False
        running = await host.running()
        return None if running is None else running.percent.get(prefix, 0) == params.percent

    def undo(self, params: ShedParams, state: Mapping[str, Any]) -> Call | None:
        """The share that was turned away before."""
        return Call(action=self.name, params={**params.model_dump(), "percent": state["percent"]})


def _by_service(shed: Shed, services: Mapping[str, str]) -> dict[str, int]:
    """Every service of the settings; a prefix that none of them has, by itself."""
    named = {name: shed.percent.get(prefix, 0) for name, prefix in services.items()}
    others = {p: n for p, n in shed.percent.items() if p not in services.values()}
    return named | others
