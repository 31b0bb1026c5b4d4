"""What users of other incident bots asked for, and where those bots went wrong: how it is here.

Written by hand; that the places and tests are there is checked.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """``where`` is a page of docs/ or a module; ``test`` is ``folder/file.py::test``."""

    asked: str
    here: str
    where: str
    test: str


WISHES = (
    Wish("oncall#628, goalert#3798", "Slack reaches it by sockets that it opens itself; nothing listens to the internet",
         "slack.md", "e2e/test_slack_story.py::test_the_whole_story"),
    Wish("Dispatch#833", "A command is on disk, then acknowledged, then worked off; where a form can no longer be opened, the answer comes in words",
         "../bot/chat/slack/inbox.py", "e2e/test_update_story.py::test_without_a_form"),
    Wish("monzo#50, bolt-python#1027", "Another attempt, and the same message under another event id, declare nothing more",
         "../bot/chat/slack/app.py", "e2e/test_slack_story.py::test_a_retried_and_a_doubled_mention_declare_once"),
    Wish("dispatch-docker#2, #37, monzo#45", "One image with hashed locks, that starts without a database server; a demo that plays a whole outage",
         "../README.md", "shipping/test_image.py::test_it_starts_jackline_and_stops_on_sigterm"),
    Wish("incidentbot#519, #326", "An integration is a folder; one that is broken or not there is left out, and the rest runs",
         "../bot/registry.py", "registry/test_load.py::test_a_broken_one_is_left_out"),
    Wish("incidentbot PR#780", "Reminders are rows: a restart loses none, and one whose channel is gone is silent",
         "updates.md", "incidents/test_reminders.py::test_a_restart_forgets_nothing"),
    Wish("sre-bot#95", "Any title makes a name that Slack takes",
         "../bot/incidents/rules.py", "incidents/test_rules.py::test_any_title_makes_a_channel_name_that_slack_takes"),
    Wish("incidentbot PR#273", "Where the name is taken, the next free one is used",
         "../bot/chat/slack/surface.py", "delivery/test_channel.py::test_a_channel_of_somebody_else_is_left_alone"),
    Wish("oncall#1214", "Each method keeps within its tier, the critical incidents first, and a refusal is waited out",
         "slack.md", "delivery/test_pace.py::test_forty_incidents_at_once"),
    Wish("Dispatch#1605", "An alert declares an incident by the catalog's rules, with nobody awake",
         "alerts.md", "alerts/test_routing.py::test_an_alert_declares_an_incident"),
    Wish("oncall#5035, Dispatch PR#2631", "A storm makes as many incidents as it has causes",
         "alerts.md", "alerts/test_storm.py::test_a_storm_makes_as_many_incidents_as_it_has_causes"),
    Wish("Dispatch PR#623, #4581", "Archived under us, deleted or renamed: nothing that was to be said is lost",
         "slack.md", "chat/test_slack_channels.py::test_archived_under_us_nothing_is_lost"),
    Wish("incidentbot#770, Dispatch#1627", "Private from the start or later; where everybody reads it has no title",
         "incidents.md", "delivery/test_private.py::test_its_channel_is_private_and_the_digest_has_no_title"),
    Wish("sre-bot#988", "The severity is chosen when declaring, and says who is asked in",
         "updates.md", "incidents/test_severities.py::test_declared"),
    Wish("monzo#149", "A pinned message is on the timeline with its picture; edits and deletions are rows of their own",
         "slack.md", "chat/test_slack_marks.py::test_an_edit_is_a_correction"),
    Wish("incidentbot#141", "Runbooks are proposed, planned, approved and run in the incident's channel",
         "runbooks.md", "e2e/test_slack_story.py::test_the_whole_story"),
    Wish("IncidentRelay#60", "The postmortem is Markdown and a page of HTML that needs nothing else",
         "incidents.md", "postmortems/test_draft.py::test_markdown_of_the_blackout"),
    Wish("keep#4424", "Writers of SQLite stand in line, and a file that another program holds is said in time",
         "../bot/store/sqlite.py", "store/test_transactions.py::test_many_writers_queue"),
    Wish("monzo#28", "`/incident close` and the card's button, in the channel",
         "incidents.md", "chat/test_slack_life.py::test_roles_tasks_and_the_end"),
    Wish("Dispatch#71", "**Not met:** Slack is the only chat. The console does all of it without one, and notifiers tell people by IRC, mail and SMS",
         "console.md", "browser/test_every_command.py::test_every_command"),
)  # fmt: skip

TRAPS = (
    Wish("A private channel that Slack refuses is opened as a public one", "It is said on the timeline; no other is opened",
         "../bot/chat/slack/surface.py", "delivery/test_private.py::test_where_slack_refuses_it_says_so_and_opens_nothing"),
    Wish("A pinned picture is made public to be shown", "It stays a link that the channel's members can follow",
         "../bot/chat/slack/marks.py", "chat/test_slack_marks.py::test_a_picture_stays_a_link"),
    Wish("What breaks while declaring is in the log alone", "Who asked is told, and nothing of it stays half done",
         "../bot/chat/slack/inbox.py", "chat/test_slack_inbox.py::test_a_bug_at_one_request_does_not_hold_up_the_others"),
    Wish("A channel of that name is taken over, whosever it is", "Only one that the bot itself made under this incident's number is taken for its own",
         "../bot/chat/slack/search.py", "delivery/test_channel.py::test_a_channel_of_somebody_else_is_left_alone"),
    Wish("Reminders are kept in memory", "They are in the database; any replica sends them, once",
         "../bot/incidents/reminders.py", "e2e/test_reminder_story.py::test_once_by_any_replica"),
    Wish("A postmortem's durations grow with each drawing", "They come from recorded moments: the same record gives the same text",
         "../bot/postmortems", "postmortems/test_draft.py::test_the_same_record_gives_the_same_draft"),
    Wish("A timeline's text goes into HTML as it came", "It is escaped, in the postmortem and in the console",
         "../bot/chat/console/mrkdwn.py", "postmortems/test_escape.py::test_an_alert_cannot_inject_html"),
)  # fmt: skip
