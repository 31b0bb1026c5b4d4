"""What can be typed, by what it is about. `bot.chat.commands` is the door to them."""

from bot.chat.command import Form
from bot.chat.oncall import ONCALL_FORMS
from bot.chat.regroup import REGROUP_FORMS
from bot.chat.silences import SILENCE_FORMS
from bot.chat.verbs.about import ABOUT_FORMS
from bot.chat.verbs.access import ACCESS_FORMS
from bot.chat.verbs.clocks import CLOCK_FORMS
from bot.chat.verbs.ends import END_FORMS
from bot.chat.verbs.incident import LIFE_FORMS
from bot.chat.verbs.learning import LEARNING_FORMS
from bot.chat.verbs.looking import LOOK_FORMS
from bot.chat.verbs.papers import PAPER_FORMS
from bot.chat.verbs.postmortem import POSTMORTEM_FORMS
from bot.chat.verbs.reminders import REMINDER_FORMS
from bot.chat.verbs.roles import ROLE_FORMS
from bot.chat.verbs.runbook import RUNBOOK_FORMS
from bot.chat.verbs.running import RUNNING_FORMS
from bot.chat.verbs.searching import SEARCH_FORMS
from bot.chat.verbs.tasks import TASK_FORMS
from bot.chat.verbs.updates import UPDATE_FORMS

FORMS: dict[str, tuple[Form, ...]] = {
    "incident": (
        *LIFE_FORMS,
        *LOOK_FORMS,
        *SEARCH_FORMS,
        *LEARNING_FORMS,
        *ROLE_FORMS,
        *END_FORMS,
        *TASK_FORMS,
        *ABOUT_FORMS,
        *PAPER_FORMS,
        *POSTMORTEM_FORMS,
        *UPDATE_FORMS,
        *REMINDER_FORMS,
        *CLOCK_FORMS,
        *REGROUP_FORMS,
        *SILENCE_FORMS,
        *ONCALL_FORMS,
        Form("/incident help", "this list", ("?",), anybody=True),
    ),
    "runbook": (
        *RUNBOOK_FORMS,
        *RUNNING_FORMS,
        Form("/runbook help", "this list", ("?",), anybody=True),
    ),
    "access": (*ACCESS_FORMS, Form("/access help", "this list", ("?",), anybody=True)),
}
