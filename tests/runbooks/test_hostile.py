"""Text that wants to be code: refused with its field named, or carried to the target as it is."""

import json
import time
from pathlib import Path

import pytest

from bot.errors import BadInput
from bot.registry import Registry
from bot.runbooks.inputs import resolve_inputs
from bot.store import Store
from tests.runbooks.room import runbook
from tests.runbooks.shipped.room import placed
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
# Anything at all may come in: what keeps it harmless must be the way, not the pattern.
FRONT = "inputs: {word: {type: string, pattern: '.*', required: true}}\napprovals: {count: 0}"
STEP = """action: ssh.read
with: {host: db1, command: say, args: {word: "{{ inputs.word }}"}}
verify: [{expect: "out.stdout == inputs.word", else: "It arrived as something else"}]"""
SAID = 'notify: "The word is {{ inputs.word }}"'
INERT = (
    "$(touch /tmp/jackline-was-here)",
    "`touch /tmp/jackline-was-here`; touch /tmp/jackline-was-here",
    "' && touch /tmp/jackline-was-here && echo '",
    '" || true #',
    "a\\nb | tee /tmp/jackline-was-here > /dev/null",
    "{{ 7 * 7 }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "!!python/object/apply:os.system [id]",
    "&a [*a, *a]",
    "['rm', '-rf']",
    "%s%n %(x)s ${HOME} ~ *",
    "<!channel> <script>alert(1)</script>",
)
REFUSED = {
    "--kubeconfig=/tmp/evil": "must not begin with '-'",
    "-rf": "must not begin with '-'",
    "two\nlines": "holds a character that cannot be printed",
    "bell\a": "holds a character that cannot be printed",
    "left\u202eright": "holds a character that cannot be printed",
    "x" * 100_000_000: "longer than 500 characters",
}


async def test_what_is_let_in_arrives_as_it_was(
    store: Store, registry: Registry, tmp_path: Path, sshd_server: Sshd
) -> None:
    """As one argument of the program, as the text of a message: never as shell, Jinja or YAML."""
    word = {"argv": ["printf", "%s", "{word}"], "args": {"word": ".*"}, "effect": "read"}
    settings = {**sshd_server.settings, "commands": json.dumps({"say": word})}
    target = {"url": sshd_server.url, "settings": settings}
    room = placed(runbook(STEP, SAID, front=FRONT), "fix", store, registry, tmp_path,
                  {"ssh/db1": target})  # fmt: skip
    for word_ in INERT:
        number = await room.start(origin=word_, name="fix", word=word_)
        await room.work()
        run = await room.run(number)
        assert (run.state, run.error) == ("succeeded", ""), word_
        last = [row for row in await room.rows() if row.kind == "notified"][-1]
        assert last.text == f"The word is {word_}"
    assert not Path("/tmp/jackline-was-here").exists()


@pytest.mark.parametrize("value", REFUSED, ids=lambda v: repr(v)[:30])
async def test_what_is_refused_names_its_field(
    store: Store, registry: Registry, tmp_path: Path, value: str
) -> None:
    """Before a run exists, at once, and without the text's own size in the answer."""
    room = placed(runbook(STEP, front=FRONT), "fix", store, registry, tmp_path,
                  {"ssh/db1": "ssh://ops@127.0.0.1:9"})  # fmt: skip
    specs = room.library.get("fix").front.inputs
    began = time.process_time()
    with pytest.raises(BadInput, match=REFUSED[value].replace("(", r"\(")) as raised:
        resolve_inputs(specs, {"word": value}, room.library.catalog)
    assert raised.value.field == "word"
    assert len(str(raised.value)) < 300
    assert time.process_time() - began < 2
