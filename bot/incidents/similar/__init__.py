"""Which past incidents are like one, why, and what ended them: for evidence, drafts, chat and the command line.

`scoring` is pure and says what counts how much; `candidates` asks the database's indexes; `endings` reads
how they ended; `flow` brings it together.
"""

from bot.incidents.similar.flow import Past, Similar

__all__ = ["Past", "Similar"]
