"""Settings, all from the environment: prefix ``JACKLINE_``, nesting by ``__``.

Nothing here reads a file of secrets or touches the network; a wrong value becomes one
`BadSetting` that names the variable, what is wrong, and an example.
"""

from bot.settings.model import REACTIONS, MailIn, Mark, Settings, host_and_port
from bot.settings.read import load
from bot.settings.shown import Shown, reference, secret_values, shown

__all__ = [
    "REACTIONS",
    "MailIn",
    "Mark",
    "Settings",
    "Shown",
    "host_and_port",
    "load",
    "reference",
    "secret_values",
    "shown",
]
