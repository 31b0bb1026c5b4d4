"""Real proxies: SOCKS5 by microsocks and by OpenSSH's own client, HTTP CONNECT by tinyproxy."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.servers.process import HOST, Process, free_port, port_open, running, scratch, spawn
from tests.servers.sshd import Sshd
from tests.servers.tools import require

TINYPROXY = """\
Port {port}
Listen {host}
Timeout 60
MaxClients 50
LogLevel Info
DisableViaHeader Yes
"""


@dataclass
class Proxy:
    """`url` is what a path of the catalog names; the log tells which connections it made."""

    url: str
    process: Process


@contextlib.contextmanager
def microsocks(user: str = "", password: str = "") -> Iterator[Proxy]:
    """SOCKS5, with a password if a user is given."""
    binary, port = require("microsocks"), free_port()
    login = ["-u", user, "-P", password] if user else []
    with scratch("socks") as folder:
        argv = [binary, "-i", HOST, "-p", str(port), *login]
        process = spawn("microsocks", argv, folder=folder, ready=lambda: port_open(port))
        with running(process):
            yield Proxy(f"socks5://{HOST}:{port}", process)


@contextlib.contextmanager
def tinyproxy(user: str = "", password: str = "") -> Iterator[Proxy]:
    """HTTP CONNECT, with a password if a user is given."""
    binary, port = require("tinyproxy"), free_port()
    login = f"BasicAuth {user} {password}\n" if user else ""
    with scratch("proxy") as folder:
        config = folder / "tinyproxy.conf"
        config.write_text(TINYPROXY.format(host=HOST, port=port) + login)
        process = spawn(
            "tinyproxy", [binary, "-d", "-c", config], folder=folder, ready=lambda: port_open(port)
        )
        with running(process):
            yield Proxy(f"http://{HOST}:{port}", process)


@contextlib.contextmanager
def ssh_socks(bastion: Sshd) -> Iterator[Proxy]:
    """SOCKS5 as `ssh -D` offers it, over a bastion."""
    binary, port, at = require("ssh"), free_port(), urlsplit(bastion.url)
    with scratch("sshd") as folder:
        (folder / "key").write_text(bastion.key)
        (folder / "key").chmod(0o600)
        (folder / "known").write_text(f"[{HOST}]:{at.port} {bastion.host_key}\n")
        options = ["BatchMode=yes", "IdentitiesOnly=yes", f"UserKnownHostsFile={folder}/known"]
        argv = [binary, "-F", "none", "-N", "-D", f"{HOST}:{port}", "-i", folder / "key"]
        argv += [word for option in options for word in ("-o", option)]
        argv += ["-p", str(at.port), f"{at.username}@{at.hostname}"]
        process = spawn("ssh", argv, folder=folder, ready=lambda: port_open(port))
        with running(process):
            yield Proxy(f"socks5://{HOST}:{port}", process)
