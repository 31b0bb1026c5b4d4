"""The ``jackline`` command. Exit codes: 0 done, 1 it failed, 2 wrong use or bad input."""

import gc

_YOUNG = 50_000  # things made until the new ones are looked through


def main() -> None:
    """Imports what the commands need, and runs the one that was asked for.

    Their module has another name than this function, or importing it would take its place. What is
    imported stays: looking it through for garbage again and again took a quarter of each
    command's start. In a flood of alerts, looking less often takes a tenth less time for each.
    """
    gc.disable()
    from bot.cli.commands import main as run  # noqa: PLC0415 - see above

    gc.freeze()
    gc.enable()
    gc.set_threshold(_YOUNG, 20, 50)
    run()
