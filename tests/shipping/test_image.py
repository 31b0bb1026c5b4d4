"""The Dockerfile: what it says, and what comes out when its steps are carried out.

There is no container engine in these tests. The steps are executed for real in a scratch root
(see ``container.py``); only the base image is stood in for.
"""

import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shipping.container import Box, build
from tests.shipping.dockerfile import Instruction, Stage, context_takes, read, sources

REPO = Path(__file__).resolve().parents[2]
FILE = read(REPO / "Dockerfile")
BUILD, RUNTIME = FILE.stages
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())


def _names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE))


# ── what it says ─────────────────────────────────────────────────────────────────────────────


def test_both_stages_start_from_one_slim_python() -> None:
    """The venv is moved from stage to stage, so both must have the same interpreter."""
    assert FILE.args == {"PYTHON_IMAGE": "python:3.11-slim-bookworm"}
    assert [stage.base for stage in FILE.stages] == ["${PYTHON_IMAGE}"] * 2


def test_it_runs_as_a_number_that_is_not_root() -> None:
    """Kubernetes refuses runAsNonRoot for a user given by name."""
    uid, gid = map(int, RUNTIME.one("USER").rest.split(":"))
    assert min(uid, gid) > 1000
    order = [step.name for step in RUNTIME.steps]
    assert "RUN" not in order[order.index("USER") :]


def test_it_starts_jackline_and_stops_on_sigterm() -> None:
    """Exec form: signals reach the process, no shell in between."""
    assert RUNTIME.one("ENTRYPOINT").argv == ["jackline"]
    assert RUNTIME.one("CMD").argv == ["serve"]
    assert RUNTIME.one("STOPSIGNAL").rest == "SIGTERM"
    assert "jackline" in PROJECT["project"]["scripts"]


def test_nothing_is_written_beside_data_and_tmp() -> None:
    """The settings that make a read-only root file system possible."""
    env = RUNTIME.env
    assert env["PYTHONDONTWRITEBYTECODE"] == "1"
    assert (env["HOME"], env["MPLCONFIGDIR"]) == ("/tmp", "/tmp")
    assert RUNTIME.one("VOLUME").argv == [env["JACKLINE_DATA_DIR"]] == ["/data"]
    assert env["JACKLINE_HTTP_LISTEN"].endswith(f":{RUNTIME.one('EXPOSE').rest}")


def test_labels_name_the_project_as_it_is() -> None:
    """Title, licence and version of the image are the project's."""
    labels = RUNTIME.one("LABEL").pairs
    version = next(a.pairs["VERSION"] for a in RUNTIME.all("ARG") if "VERSION" in a.pairs)
    assert version == PROJECT["project"]["version"]
    assert labels["org.opencontainers.image.version"] == "${VERSION}"
    assert labels["org.opencontainers.image.licenses"] == PROJECT["project"]["license"]
    assert labels["org.opencontainers.image.description"] == PROJECT["project"]["description"]


@pytest.mark.parametrize("stage", FILE.stages, ids=lambda stage: stage.name)
def test_pip_installs_nothing_unhashed(stage: Stage) -> None:
    """Every install checks hashes and takes wheels only, or is cut off from the index."""
    for run in stage.all("RUN"):
        for command in run.rest.split("&&"):
            if "pip install" in command:
                hashed = "--require-hashes" in command and "--only-binary=:all:" in command
                assert hashed or "--no-index" in command
            if "pip wheel" in command:
                assert {"--no-build-isolation", "--no-deps"} <= set(command.split())


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Each dependency is in requirements.lock, the build backend in the Dockerfile's own lock."""
    wanted = {re.split(r"[\[<>=,;~ ]", d)[0] for d in PROJECT["project"]["dependencies"]}
    assert wanted - _names((REPO / "requirements.lock").read_text()) == set()
    (lock,) = [step.heredoc for step in BUILD.all("COPY") if step.heredoc]
    assert "hatchling" in _names(lock)
    assert lock.count("--hash=sha256:") >= len(_names(lock))


def test_copy_takes_what_exists_and_what_the_context_lets_in() -> None:
    """A file that .dockerignore keeps out fails a build only on somebody else's machine."""
    copies = [step for s in FILE.stages for step in s.all("COPY") if "from" not in step.flags]
    taken = {source for step in copies for source in sources(step)[0]}
    assert {"bot", "integrations", "runbooks", "requirements.lock"} <= taken
    for source in taken:
        assert (REPO / source).exists(), f"COPY {source}: there is no such file"
        assert context_takes(REPO / ".dockerignore", source)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("bot/app.py", True),
        ("bot/postmortems/cases/one.yaml", True),
        ("runbooks/catalog/services.yaml", True),
        ("bot/__pycache__/app.cpython-311.pyc", False),
        ("integrations/envoy/.env", False),
        (".env", False),
        (".git/config", False),
        (".venv/bin/python", False),
        ("data/jackline.db", False),
        ("tests/shipping/values/sqlite.yaml", False),
    ],
)
def test_the_build_context_holds_no_secret_and_no_litter(path: str, taken: bool) -> None:
    """The context is a list of what goes in, not of what stays out."""
    assert context_takes(REPO / ".dockerignore", path) is taken


# ── the health check ─────────────────────────────────────────────────────────────────────────


def _health_command() -> list[str]:
    _, _, exec_form = RUNTIME.one("HEALTHCHECK").rest.partition("CMD ")
    return Instruction("CMD", {}, exec_form).argv


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_health(port: int) -> int:
    """Runs the very command of the HEALTHCHECK, with a proxy in the way."""
    program, *rest = _health_command()
    assert program == "python"
    env = {"JACKLINE_HTTP_LISTEN": f"0.0.0.0:{port}", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *rest], env=env, check=False, capture_output=True)
    return done.returncode


@pytest.fixture
def health(request: pytest.FixtureRequest) -> Iterator[int]:
    """A server that answers /healthz with the given status, anything else with 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps the test's output quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("health", "code"), [(200, 0), (503, 1)], indirect=["health"])
def test_health_check_says_what_healthz_says(health: int, code: int) -> None:
    """200 is healthy, 503 is not."""
    assert _check_health(health) == code


def test_health_check_fails_when_nobody_answers() -> None:
    """A dead process is not healthy."""
    assert _check_health(_free_port()) == 1


# ── what comes out ───────────────────────────────────────────────────────────────────────────

needs_root = [
    pytest.mark.server,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("image"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a root file system"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The Dockerfile, carried out; thrown away after, for it is large."""
    scratch = tmp_path_factory.mktemp("image")
    for folder in (scratch, scratch.parent, scratch.parent.parent):
        folder.chmod(0o755)  # the image's user must be able to walk to its root
    yield build(FILE, REPO, scratch)
    shutil.rmtree(scratch)


class TestImage:
    """The image as it would run under Kubernetes: its own user, everything read-only."""

    pytestmark = needs_root

    def test_help_works_without_root_on_a_read_only_tree(self, image: Box) -> None:
        """The command is installed, its dependencies are there, and it writes nothing."""
        done = image.run(["jackline", "--help"])
        assert done.returncode == 0, done.stderr
        assert "serve" in done.stdout

    def test_the_tree_is_read_only_but_for_data_and_tmp(self, image: Box) -> None:
        """That the test above means something: a write elsewhere does fail, as a plain user."""
        done = image.run(["sh", "-c", "id -u; echo x > /data/x && echo x > /tmp/x && echo kept"])
        assert done.stdout.split() == ["10001", "kept"]
        for place in ("/app/x", "/venv/x", "/x"):
            done = image.run(["sh", "-c", f"echo x > {place}"])
            assert done.returncode != 0
            assert "Read-only file system" in done.stderr

    def test_it_holds_what_ships_and_no_installer(self, image: Box) -> None:
        """Runbooks, integrations and the licence are there, compiled; pip is not in the venv."""
        packages = image.root / "venv/lib/python3.11/site-packages"
        shipped = {p.relative_to(REPO) for p in (REPO / "runbooks").rglob("*") if p.is_file()}
        assert {p for p in shipped if not (image.root / "app" / p).is_file()} == set()
        for room in ("bot", "integrations"):
            data = [
                p for p in (REPO / room).rglob("*") if p.is_file() and "__pycache__" not in str(p)
            ]
            assert [p for p in data if not (packages / p.relative_to(REPO)).is_file()] == []
        assert (image.root / "app/LICENSE").is_file()
        assert list((packages / "bot" / "__pycache__").glob("*.pyc"))
        assert not (packages / "pip").exists()

    def test_it_serves_becomes_healthy_and_stops(self, image: Box) -> None:
        """ENTRYPOINT and CMD as they are: /healthz answers, SIGTERM ends it cleanly."""
        port = _free_port()
        listen = {"JACKLINE_HTTP_LISTEN": f"127.0.0.1:{port}"}
        argv = RUNTIME.one("ENTRYPOINT").argv + RUNTIME.one("CMD").argv
        process = image.start(argv, env=listen)
        try:
            deadline = time.monotonic() + 60
            while image.run(_health_command(), env=listen).returncode:
                assert process.poll() is None, "it ended by itself"
                assert time.monotonic() < deadline, "it never became healthy"
                time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()
