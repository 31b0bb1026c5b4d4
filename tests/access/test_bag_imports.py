"""What the go-bag leaves out, its program does without: found in a second, not when a bag is packed."""

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from bot.access.program import SERVERS_OWN

_SCRIPT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {left_out!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Missing())
import bot.chat.terminal
"""


@pytest.mark.slow
def test_the_program_does_without_what_is_left_out() -> None:
    left_out = {name for name, of in packages_distributions().items() if SERVERS_OWN & set(of)}
    assert "matplotlib" in left_out
    script = _SCRIPT.format(left_out=left_out)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
