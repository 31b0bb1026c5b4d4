"""One drill: the repository is read, a snapshot restored into a scratch folder and looked into."""

import stat
import time
from typing import Any

from bot.contract.drill import DrillFolder
from bot.errors import Rejected

from . import dump
from .params import DrillParams
from .site import Site
from .snapshots import Snapshot


class Drill:
    """Of one snapshot, in a drill's folder."""

    def __init__(self, place: DrillFolder, site: Site) -> None:
        self.place = place
        self.host = place.host
        self.site = site
        self.files = f"{place.folder}/files"
        self.postgres = dump.Scratch(place.host, place.folder, site.bin)

    async def done(self, params: DrillParams, snapshot: Snapshot) -> dict[str, Any]:
        """Raises `Rejected` with what is wrong."""
        begun = time.monotonic()
        share = f"--read-data-subset={params.read_data}%"
        argv = [*self.site.restic, "--quiet", "check", share]
        await self.host.within("the check of the repository", argv, params.limit)
        await self.place.make(self.files)
        argv = [*self.site.restic, "restore", snapshot.id, f"--target={self.files}", "--verify"]
        await self.host.within("the restore", argv, params.limit)
        sizes = await self._sizes(params)
        counts = await self._counts(params)
        size = await self.place.size(self.files)
        return {
            "label": snapshot.label, "time": snapshot.time, "size": size,
            "files": sizes, "counts": counts, "seconds": round(time.monotonic() - begun, 1),
        }  # fmt: skip

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
