"""Looks once: several signals of a record ask the same of all its rows. Pure."""

from collections.abc import Callable
from functools import wraps

from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.view import View

Look = Callable[[View], list[Row]]


def once(look: Look) -> Look:
    """What a look found is kept with the view."""

    @wraps(look)
    def kept(view: View) -> list[Row]:
        if look not in view.seen:
            view.seen[look] = look(view)
        return view.seen[look]

    return kept
