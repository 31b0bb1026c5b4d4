"""The ``jackline`` command. Exit codes: 0 done, 1 it failed, 2 wrong use or bad input, 130 Ctrl-C."""

import gc
import sys

_INTERRUPTED = 130  # as shells have it: 128 and the signal's number
_YOUNG = 50_000  # things made until the new ones are looked through


def main() -> None:
    """Imports what the commands need, and runs the one that was asked for.

    Their module has another name than this function, or importing it would take its place. What is
    imported stays: looking it through for garbage again and again took a quarter of each
    command's start. In a flood of alerts, looking less often takes a tenth less time for each.
    """
    gc.disable()
    try:
        from bot.cli.commands import main as run  # noqa: PLC0415 - see above

        gc.freeze()
        gc.enable()
        gc.set_threshold(_YOUNG, 20, 50)
        run()
    except KeyboardInterrupt:  # also while it imports, which takes seconds on a slow machine
        sys.stderr.write("jackline: interrupted\n")
        sys.exit(_INTERRUPTED)
