"""Carries out a Dockerfile without a container engine, and runs what came out.

Each stage gets a root folder of its own, entered by chroot in a private mount namespace. The
base image is stood in for by this machine's /usr, read-only, with the interpreter that runs the
tests mounted at /usr/local, where the Python image has it. Everything else is what the
Dockerfile says: the same paths, commands, user and environment. Needs root.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.shipping.dockerfile import Dockerfile, Instruction, Stage, context_takes, sources

# Files of /etc without which names, certificates and pip do not work.
ETC = ("group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd", "pip.conf", "resolv.conf", "ssl")
# What the Python image sets up: where the interpreter and its shared library are found.
BASE = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin", "LD_LIBRARY_PATH": "/usr/local/lib"}
# How this machine reaches a package index; a build would be handed the same.
NETWORK = ("PIP_", "SSL_", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@dataclass(frozen=True)
class Box:
    """A root folder and the settings that its processes start with."""

    root: Path
    env: dict[str, str]
    workdir: str = "/"
    user: str = "0:0"

    def command(self, argv: list[str], *, env: dict[str, str], read_only: bool) -> list[str]:
        """The command line that runs ``argv`` inside."""
        root = shlex.quote(str(self.root))
        mounts = ["set -e", f"mount --bind {root} {root}"]
        mounts += [f"mount --rbind /{name} {root}/{name}" for name in _shared()]
        mounts += [f"mount -o remount,bind,ro {root}/usr"]
        if sys.base_prefix != "/usr":
            mounts += [f"mount --bind {shlex.quote(sys.base_prefix)} {root}/usr/local"]
        if read_only:
            mounts += [f"mount -o remount,bind,ro {root}"]
            mounts += [f"mount --bind {root}.data {root}/data", f"mount -t tmpfs tmp {root}/tmp"]
        else:
            cache = Path.home() / ".cache" / "pip"
            cache.mkdir(parents=True, exist_ok=True)
            mounts += [f"mount --bind {shlex.quote(str(cache))} {root}/root/.cache/pip"]
        settings = [f"{key}={value}" for key, value in {**self.env, **env}.items()]
        inside = ["/usr/bin/env", "-i", f"--chdir={self.workdir}", *settings, *argv]
        enter = ["exec", "chroot", f"--userspec={self.user}", "--groups=", str(self.root), *inside]
        return ["unshare", "--mount", "sh", "-c", "\n".join([*mounts, shlex.join(enter)])]

    def run(
        self, argv: list[str], *, env: dict[str, str] | None = None, read_only: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs to the end."""
        command = self.command(argv, env=env or {}, read_only=read_only)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)

    def start(self, argv: list[str], *, env: dict[str, str]) -> subprocess.Popen[bytes]:
        """Starts a process with a read-only root; its output goes to the test's."""
        return subprocess.Popen(self.command(argv, env=env, read_only=True))


def build(dockerfile: Dockerfile, context: Path, scratch: Path) -> Box:
    """Carries out every stage in order; the last one's box is the image."""
    boxes: dict[str, Box] = {}
    for stage in dockerfile.stages:
        boxes[stage.name] = _stage(stage, context, scratch, boxes)
    return boxes[dockerfile.stages[-1].name]


def _stage(stage: Stage, context: Path, scratch: Path, boxes: dict[str, Box]) -> Box:
    box = Box(_empty_root(scratch / stage.name), BASE)
    for step in stage.steps:
        if step.name == "ENV":
            box = Box(box.root, box.env | step.pairs, box.workdir, box.user)
        elif step.name == "WORKDIR":
            _inside(box, step.rest).mkdir(parents=True, exist_ok=True)
            box = Box(box.root, box.env, step.rest, box.user)
        elif step.name == "USER":
            box = Box(box.root, box.env, box.workdir, step.rest)
        elif step.name == "COPY":
            _copy(step, box, context, boxes)
        elif step.name == "RUN":
            _run(step, box)
        elif step.name == "VOLUME":
            (volume,) = step.argv
            shutil.copytree(_inside(box, volume), f"{box.root}.data")
            kept = _inside(box, volume).stat()
            os.chown(f"{box.root}.data", kept.st_uid, kept.st_gid)
    return box


def _run(step: Instruction, box: Box) -> None:
    network = {k: v for k, v in os.environ.items() if k.startswith(NETWORK)}
    env = {"HOME": "/root", **network}
    done = box.run(["/bin/sh", "-c", step.rest], env=env, read_only=False)
    assert done.returncode == 0, f"RUN {step.rest}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def _copy(step: Instruction, box: Box, context: Path, boxes: dict[str, Box]) -> None:
    taken, target = sources(step)
    place = _inside(box, target)
    if step.heredoc:
        place.write_text(step.heredoc, "utf-8")
    for source in taken:
        if origin := step.flags.get("from"):
            subprocess.run(["cp", "-al", _inside(boxes[origin], source), place], check=True)
        elif (context / source).is_dir():
            shutil.copytree(context / source, place, ignore=_left_out(context))
        else:
            shutil.copy(context / source, place)


def _left_out(context: Path) -> Callable[[str, list[str]], list[str]]:
    """What .dockerignore keeps out, in the form that `shutil.copytree` asks for it."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        below = Path(folder).relative_to(context)
        ignore = context / ".dockerignore"
        return [name for name in names if not context_takes(ignore, str(below / name))]

    return left_out


def _inside(box: Box, path: str) -> Path:
    return box.root / str(Path(box.workdir) / path).lstrip("/")


def _shared() -> list[str]:
    # /opt: where a machine may keep a package index that pip's configuration names.
    return [name for name in ("usr", "dev", "proc", "opt") if Path("/", name).is_dir()]


def _empty_root(root: Path) -> Path:
    for name in (*_shared(), "etc", "tmp", "var", "root/.cache/pip"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    root.chmod(0o755)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for name in ETC:
        file = Path("/etc", name)
        if file.is_dir():
            shutil.copytree(file, root / "etc" / name, symlinks=True)
        elif file.exists():
            shutil.copy(file, root / "etc" / name)
    return root
