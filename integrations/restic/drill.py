"""One drill: the repository is read, a snapshot restored into a scratch folder and looked into."""

import secrets
import stat
import time
from typing import Any

from bot.errors import Rejected, TargetError

from . import dump
from .params import DrillParams
from .site import Host, Site, last_lines
from .snapshots import Snapshot

_CLEANING = 300  # seconds to remove a scratch folder
_TRIES = 3  # a restore that was cut off may still be writing into the folder


class Drill:
    """Each works in a folder of a new name below `root`.

    So a restore that was cut off, and that still writes, can never mix with this one: its folder
    is gone. A server that was cut off notices within a minute that its folder is gone, and ends.
    """

    def __init__(self, host: Host, site: Site, repository: str) -> None:
        self.host = host
        self.site = site
        self.root = f"{site.scratch}/jackline-restic-{repository}"
        self.folder = f"{self.root}/{secrets.token_hex(4)}"
        self.files = f"{self.folder}/files"
        self.postgres = dump.Scratch(host, self.folder, site.bin)

    async def done(self, params: DrillParams, snapshot: Snapshot) -> dict[str, Any]:
        """Raises `Rejected` with what is wrong."""
        begun = time.monotonic()
        share = f"--read-data-subset={params.read_data}%"
        argv = [*self.site.restic, "--quiet", "check", share]
        await self.host.within("the check of the repository", argv, params.limit)
        argv = ["mkdir", "-p", "-m", "0700", self.folder, self.files]
        await self.host.must("the scratch folder cannot be made", argv)
        argv = [*self.site.restic, "restore", snapshot.id, f"--target={self.files}", "--verify"]
        await self.host.within("the restore", argv, params.limit)
        sizes = await self._sizes(params)
        counts = await self._counts(params)
        argv = ["du", "-s", "-B1", "--apparent-size", self.files]
        size = await self.host.must("the size cannot be read", argv)
        return {
            "label": snapshot.label, "time": snapshot.time, "size": int(size.split()[0]),
            "files": sizes, "counts": counts, "seconds": round(time.monotonic() - begun, 1),
        }  # fmt: skip

    async def clear(self) -> None:
        """Stops the server and removes the folder, of earlier drills as well."""
        await self.postgres.stop()
        said = ""
        for _ in range(_TRIES):
            argv = ["rm", "-rf", "--one-file-system", self.root]
            done = await self.host.run(argv, limit=_CLEANING)
            if done.status == 0:
                return
            said = last_lines(done)
        raise Rejected(f"the scratch folder {self.root} cannot be removed: {said}")

    async def cleared(self) -> None:
        """At the end of a drill that failed: its own error is what matters."""
        try:
            await self.clear()
        except TargetError:
            return  # the next drill clears what this one leaves

    async def left(self) -> bool:
        """Whether something of a drill lies there."""
        return (await self.host.run(["test", "-e", self.root])).status == 0

    async def _sizes(self, params: DrillParams) -> dict[str, int]:
        """Bytes by file. A link or a folder in its place is not the file."""
        wanted = {*params.files, *([params.dump.path] if params.dump else [])}
        paths = [self.files + path for path in sorted(wanted)]
        said = (await self.host.run(["stat", "--printf=%f %s %n\\n", *paths])).stdout
        found = {}
        for mode, size, path in (line.split(" ", 2) for line in said.splitlines()):
            if stat.S_ISREG(int(mode, 16)):
                found[path.removeprefix(self.files)] = int(size)
        for path in sorted(wanted):
            least = params.files.get(path, 1)
            if path not in found:
                raise Rejected(f"{path} is not in the snapshot.")
            if found[path] < least:
                held = f"has {found[path]} bytes" if found[path] else "is empty"
                raise Rejected(f"{path} {held}, and should have {least} at least.")
        return found

    async def _counts(self, params: DrillParams) -> dict[str, int]:
        if params.dump is None:
            return {}
        file = self.files + params.dump.path
        return await self.postgres.counted(params.dump, file, params.limit)
