"""The ``jackline`` command. Exit codes: 0 done, 1 it failed, 2 wrong use or bad input."""

import gc


def main() -> None:
    """Imports what the commands need, and runs the one that was asked for.

    What is imported stays: looking it through for garbage again and again took a quarter of each
    command's start.
    """
    gc.disable()
    from bot.cli.main import main as run  # noqa: PLC0415 - see above

    gc.freeze()
    gc.enable()
    run()
