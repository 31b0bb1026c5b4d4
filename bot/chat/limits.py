"""Block Kit's limits, in characters and pieces: the one table that building and checking go by.

From Slack's reference of blocks, elements and views. ``MESSAGE`` is not in it: Slack answers
``msg_blocks_too_long`` from about 13,200 characters on, whatever the single texts have.
"""

from typing import Final

TEXT: Final = 3000  # a section, a line of context
FIELD, FIELDS = 2000, 10
HEADER: Final = 150
MARKDOWN: Final = 12_000  # all markdown blocks of a message together
ROWS, COLUMNS = 100, 20  # of a table

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE: Final = 13_000  # all blocks of a message as JSON
POSTED, UPDATED = 40_000, 4_000  # the plain text beside them, when posted and when edited

ACTIONS, CONTEXT = 25, 10  # elements
OPTIONS, CHOICES, OVERFLOW = 100, 10, 5  # of a select, of boxes and radio buttons, of a menu
BUTTON, VALUE, URL = 75, 2000, 3000
OPTION, OPTION_VALUE = 75, 150
ID: Final = 255
LABEL: Final = 2000  # an input's label and hint, an image's title and alt text
TYPED: Final = 3000  # what an input may hold
PLACEHOLDER: Final = 150
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30

TITLE: Final = 24  # of a view, and its two buttons
METADATA: Final = 3000
