"""A real nginx that includes the file with what is shed, as the README of the integration says."""

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ask import Reply, answers, ask
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn
from tests.servers.tools import require

CONFIG = """\
daemon off; {user}
pid {folder}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  include {folder}/own/shed.conf;
  server {{
    listen {host}:{port};
    add_header Retry-After $shed_retry_after always;
    if ($shed) {{ return 503; }}
    location / {{ add_header X-Here 1; return 200 ok; }}
  }}
  server {{
    listen {host}:{state};
    location = /shed {{ return 200 "$shed_state\\n"; }}
  }}
}}
"""
# What curl would print, from a Python that loads next to nothing: it is run often.
FETCH = r"""
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2) as nginx:
    nginx.sendall(b"GET /shed HTTP/1.0\r\n\r\n")
    print(nginx.makefile().read().partition("\n\n")[2])
"""


@dataclass
class Nginx:
    """`file` is what the integration writes, `config` includes it."""

    binary: Path
    folder: Path
    port: int
    state_port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def file(self) -> Path:
        return self.folder / "own/shed.conf"

    @property
    def config(self) -> Path:
        return self.folder / "nginx.conf"

    def settings(self) -> dict[str, str]:
        """What a target of the catalog needs, besides those of SSH."""
        order = [str(self.binary), "-e", "stderr", "-p", str(self.folder), "-c", str(self.config)]
        return {
            "file": str(self.file),
            "services": json.dumps({"search": "/search", "feed": "/feed", "old": "/search/v1.0"}),
            "test": json.dumps([*order, "-t"]),
            "reload": json.dumps([*order, "-s", "reload"]),
            "running": json.dumps([sys.executable, "-ISc", FETCH, str(self.state_port)]),
        }

    def get(self, path: str) -> Reply:
        return ask("GET", f"{self.url}{path}")

    def statuses(self, path: str, count: int) -> Counter[int]:
        """How a number of requests ended."""
        return Counter(self.get(path).status for _ in range(count))


@contextlib.contextmanager
def nginx(shed: str) -> Iterator[Nginx]:
    """``shed`` is the included file's text at first."""
    binary = require("nginx")
    with scratch("nginx") as folder:
        port, state = free_port(), free_port()
        (folder / "own").mkdir()
        (folder / "own/shed.conf").write_text(shed)
        user = "user root;" if os.geteuid() == 0 else ""  # workers that root may start
        (folder / "nginx.conf").write_text(
            CONFIG.format(folder=folder, host=HOST, port=port, state=state, user=user)
        )
        process = spawn(
            "nginx",
            [binary, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"],
            folder=folder,
            ready=lambda: answers(f"http://{HOST}:{state}/shed"),
        )
        with running(process):
            yield Nginx(binary, folder, port, state, process)
