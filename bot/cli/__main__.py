"""``python -m bot.cli`` is ``jackline``."""

from bot.cli import main

main()
