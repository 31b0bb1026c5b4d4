"""How a sentence says that something was announced, that it came as expected, or that it did not."""

import re

from bot.postmortems.patterns.sentence import cue

AS_EXPECTED = cue(
    r"as (?:\w+ )?(?:expected|planned|announced|intended|meant|foreseen|agreed|scheduled|designed|wanted|ordered|desired)\b", r"(?:is|was|were|are) (?:\w+ )?(?:expected|planned|announced|intended|wanted)\b", r"(?:expected|planned|announced|intended|known) (?:alarm|alert|page|warning|outage|downtime|interruption|maintenance|gap|drop|restart|reboot|shutdown)s?\b",
    r"on purpose\b", r"(?:maintenance|change) (?:entry|record|calendar|mode|notice|work|window|ticket)\b", r"(?:within|inside|ahead of|before the end of) (?:the )?(?:\w+ )?(?:window|schedule)\b", r"exactly (?:the|what|those|as many)\b",
)  # fmt: skip
ANNOUNCED = cue(
    r"(?:will|is to|are to|is going to|shall) be (?:\w+ )?(?:re-?started|re-?booted|switched|turned|shut|stopped|taken|removed|upgraded|patched|re-?installed|moved|migrated|drained|powered|unavailable|offline|down|closed|deleted|decommissioned|retired|replaced)\b",
    r"(?:maintenance|change|downtime|work) (?:notice|window|announced|approved|calendar|plan|mail|slot)\b", r"(?:announc|approv|countersign|schedul)\w+", r"plan(?:s|ned)\b",
)  # fmt: skip
NOT_AS_MEANT = re.compile(
    r"\bthan (?:\w+ ){0,3}(?:intended|planned|meant|expected|requested|wanted|announced|supposed|asked|agreed|thought)\b|\bun(?:intended|expected|planned)\w*|\b(?:wrong|instead of|mis-?typ\w+|typo|should (?:only )?have|(?:not|never|n't) (?:\w+ )?(?:intended|planned|expected|meant|announced))\b|\bonly \w+ (?:was|were) (?:meant|to be)\b", re.IGNORECASE,
)  # fmt: skip
