"""What can be typed, by what it is about. `bot.chat.commands` is the door to them."""

from bot.chat.command import Form
from bot.chat.regroup import REGROUP_FORMS
from bot.chat.silences import SILENCE_FORMS
from bot.chat.verbs.access import ACCESS_FORMS
from bot.chat.verbs.incident import LIFE_FORMS
from bot.chat.verbs.runbook import RUNBOOK_FORMS

FORMS: dict[str, tuple[Form, ...]] = {
    "incident": (
        *LIFE_FORMS,
        *REGROUP_FORMS,
        *SILENCE_FORMS,
        Form("/incident help", "this list", ("?",), anybody=True),
    ),
    "runbook": (*RUNBOOK_FORMS, Form("/runbook help", "this list", ("?",), anybody=True)),
    "access": (*ACCESS_FORMS, Form("/access help", "this list", ("?",), anybody=True)),
}
