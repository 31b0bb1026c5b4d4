"""A bare Git repository behind git's own HTTP server (git-http-backend)."""

import contextlib
import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers.process import HOST
from tests.servers.tools import require


class GitServer:
    """`git(...)` is the program in a checkout of the test's own; `before` runs at each push."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token
        self.bare = folder / "status.git"
        self.work = folder / "work"
        self.before: list[Any] = []
        self.drops = 0  # pushes that are taken and not answered
        self.asked: list[str] = []
        self.url = ""
        folder.mkdir(exist_ok=True)
        self._run(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self._run(self.bare, "config", "http.receivepack", "true")
        self._run(self.bare, "config", "uploadpack.allowFilter", "true")
        self._run(folder, "clone", "-q", str(self.bare), str(self.work))
        self.commit("README.md", "status\n")
        self.commit("content/issues/.gitkeep", "")
        self.commit("content/issues/old.md", "---\ntitle: old\n---\n")

    def commit(self, path: str, text: str) -> None:
        """By somebody else."""
        file = self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("pull", "-q", "--ff-only") if self.refs() else None
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"edit {path}")
        self.git("push", "-q", "origin", "HEAD:main")

    def refs(self) -> str:
        return self._run(self.bare, "for-each-ref")

    def git(self, *words: str) -> str:
        return self._run(self.work, *words)

    def show(self, path: str) -> str:
        """A file as the branch has it; `fsck` first: what was pushed is whole."""
        self._run(self.bare, "fsck", "--strict")
        return self._run(self.bare, "show", f"main:{path}")

    def files(self) -> list[str]:
        return self._run(self.bare, "ls-tree", "-r", "--name-only", "main").split()

    def log(self) -> list[str]:
        return self._run(self.bare, "log", "--format=%an: %s", "main").splitlines()

    def _run(self, folder: Path, *words: str) -> str:
        who = {f"GIT_{each}_{part}": value for each in ("AUTHOR", "COMMITTER")
               for part, value in (("NAME", "Eve"), ("EMAIL", "eve@example.com"))}  # fmt: skip
        done = subprocess.run(
            [require("git"), *words], cwd=folder, env=os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout


@contextlib.contextmanager
def git_server(folder: Path, token: str = "") -> Iterator[GitServer]:
    made = GitServer(folder, token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            self._answer(self.rfile.read(length))

        def _answer(self, body: bytes) -> None:
            made.asked.append(self.path)
            login = b64encode(f"jackline:{token}".encode()).decode()
            if token and self.headers.get("authorization") != f"Basic {login}":
                self.send_error(401)
                return
            push = self.command == "POST" and self.path.endswith("git-receive-pack")
            while push and made.before:
                made.before.pop()()
            answer = _backend(made.folder, self, body)
            if push and made.drops:
                made.drops -= 1
                self.close_connection = True
                return
            head, _, rest = answer.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(rest))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(rest)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://{HOST}:{server.server_port}/status.git"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def _backend(folder: Path, request: BaseHTTPRequestHandler, body: bytes) -> bytes:
    path, _, query = request.path.partition("?")
    env = {
        "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
        "QUERY_STRING": query, "REQUEST_METHOD": request.command, "REMOTE_USER": "jackline",
        "CONTENT_TYPE": request.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""), "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }  # fmt: skip
    done = subprocess.run(
        [require("git"), "http-backend"], env=env, input=body, capture_output=True, check=False
    )
    return done.stdout
