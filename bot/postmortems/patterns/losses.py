"""Whether a sentence says that data was lost, or that none was. Pure.

What is only feared ("because of possible data loss") is neither. Users who lost a connection, and a cluster that
lost a node, have lost no data: it takes what people keep, and that it is gone, old, or made again by hand.
"""

import re

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.sentence import clauses, cue, hit

_KEPT = cue(
    r"data\b", r"records?\b", r"rows?\b", r"tables?\b", r"files?\b", r"writes\b", r"changes\b", r"transactions?\b", r"orders?\b", r"bookings?\b", r"payments?\b", r"invoices?\b", r"entries\b", r"messages?\b", r"e?-?mails?\b", r"mailbox\w*",
    r"photos?\b", r"images?\b", r"videos?\b", r"footage\b", r"recordings?\b", r"tapes?\b", r"drawings?\b", r"documents?\b", r"diagrams?\b", r"projects?\b", r"reports?\b", r"contacts?\b", r"notes?\b", r"posts?\b", r"comments?\b", r"issues?\b", r"repositor\w+", r"commits?\b",
    r"grades?\b", r"grade-?books?\b", r"results?\b", r"measurements?\b", r"samples?\b", r"readings?\b", r"ratings?\b", r"scores?\b", r"progress\b", r"saves\b", r"balances?\b", r"histor(?:y|ies)\b", r"ledgers?\b", r"duplicates\b", r"archives?\b", r"collections?\b", r"claims?\b", r"accounts?\b", r"workspaces?\b", r"databases?\b", r"\w*dbs?\b", r"volumes?\b", r"buckets?\b", r"objects?\b", r"events?\b", r"logs?\b", r"metrics\b", r"telemetry\b", r"everything (?:after|since|from|written|entered|newer)\b", r"work\b", r"(?:terabytes?|gigabytes?|petabytes?|[tgp]b)\b", r"calculations?\b", r"computations?\b", r"jobs?\b", r"uploads?\b", r"forms?\b", r"applications received\b", r"registrations?\b",
)  # fmt: skip
_GONE = cue(
    r"(?:is|are|was|were|be|been|gets?|got) (?:\w+ )?(?:lost|gone|destroyed|wiped|erased|purged|expired|overwritten|discarded|thrown away|irretriev\w+|unrecoverable|irrecoverable|deleted for good|permanently deleted)\b", r"permanently (?:deleted|lost|gone)\b", r"los(?:t|es?|ing) (?:\w+ ){0,3}?(?=(?:data|records?|writes|orders?|files?|bookings?|transactions?|messages?|mails?|work|changes|grades?|entries)\b)",
    r"(?:cannot|could not|can not|can never|never) be (?:\w+ )?(?:recovered|retrieved|restored|brought back|found|rebuilt)\b", r"could not be found\b", r"(?:gone|lost) (?:for (?:good|ever)|forever)\b", r"whole \w+ (?:db|database|bucket|archive|table|volume) gone\b", r"(?:with|at) (?:\w+ ){0,6}missing\b", r"(?:is|are|were|was) (?:still |now )?missing\b",
    r"(?:must|has to|have to|had to|needs? to|to) be (?:\w+ )?(?:repeated|redone|resent|drawn|typed|written|created|made|done|sent|submitted|recorded|taken|run|keyed|entered|uploaded|booked) (?:in )?(?:again|anew|afresh|by hand)\b", r"re-?(?:entered|keyed|typed|submitted|submit|enter|drawn|recorded|uploaded|created)\b",
    r"(?:merged|reconciled|sorted out|corrected|repaired|matched|deduplicated|re-?built|re-?constructed) (?:\w+ )?(?:by hand|manually|one by one)\b", r"duplicat\w+\b.{0,40}(?:merged|removed|cleaned|deleted|corrected)", r"truncated\b", r"rolled back to (?:the )?(?:state|copy|backup)\b",
    r"(?:must|have to|has to|had to|needs? to|asked to) (?:\w+ )?re-?(?:upload|send|do|enter|submit|type|key|draw|record|creat|book|order)\w*", r"(?:delivered|sent|charged|booked|counted|processed|billed|paid|posted) (?:twice|double|two times)\b", r"(?:fixed|put right) by hand\b",
    r"(?:must|has to|have to|had to|needs? to) be (?:repeated|redone|resent|re-\w+)\b", r"lost\b",
)  # fmt: skip
_OLDER = cue(  # what came back is not what there was
    r"(?:with|from|to|at|on) (?:the |a |an? older |old )?(?:data|state|copy|version|content|backup|snapshot|dump) (?:of|from|as of) (?:\d|last|yesterday|the (?:day|night|week|month)|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*",
    r"completeness of\b", r"\d[\d.,]* ?(?:%|per ?cent) of (?:the |all |our )?(?:\w+ )?\w+ (?:could be|can be|are|were|was|is|have been) (?:\w+ )?(?:saved|restored|recovered|regained|rescued|readable|lost)\b", r"\d[\d.,]* ?(?:%|per ?cent) (?:complete|of the (?:\w+ )?(?:data|footage|records|files|rows|drawings|images|archive))\b", r"only (?:\w+ )?\d[\d.,]* ?(?:%|per ?cent) (?:\w+ )*(?:recovered|restored|regained|readable)\b", r"(?:a|one|two) (?:third|quarter|half|fifth|tenth)s? (?:are|is|were|was) (?:readable|recovered|restored|usable)\b",
)  # fmt: skip
_NONE = cue(
    r"no (?:[\w-]+ ){0,2}(?:data|records?|rows?|files?|writes|orders?|bookings?|payments?|transactions?|messages?|mails?|entries|drawings?|documents?|uploads?|events?) (?:\w+ )?(?:(?:is|was|were|are|has been|have been|got|gets?) )?(?:lost|missing|damaged|deleted|affected|gone|destroyed)\b", r"nothing (?:\w+ ){0,2}(?:lost|missing|deleted|damaged)\b", r"(?:without|no) (?:any )?(?:data )?loss\b", r"(?:none|not one)(?: \w+){0,5} (?:lost|missing|damaged)\b",
    r"(?:are|is|were|was|them|it|finds? \w+) (?:\w+ )?complete\b(?! (?:loss|outage|failure))", r"all (?:\w+ ){0,3}(?:data|records|rows|files|orders|documents|projects|mails|messages|bookings|drawings|images) (?:\w+ )?(?:are|were|is|was|have been|could be) (?:\w+ )?(?:back|restored|recovered|there|present|intact|accounted for|complete)\b", r"(?:row|record) counts? (?:\w+ )?(?:match|agree|are equal)\w*", r"data (?:\w+ )?(?:intact|safe|unharmed)\b",
)  # fmt: skip
_FEARED = re.compile(
    r"\b(?:possib\w+|potential\w*|fear\w*|risk\w*|threat\w*|worr\w+|suspect\w*|might|(?-i:may)|could (?!not|be (?:saved|restored|recovered|rescued))|would|maybe|perhaps|danger|at stake|to (?:avoid|prevent|protect|make sure)|in case|whether|unless|lest|if)\b|\?", re.IGNORECASE,
)  # fmt: skip
_NOT_KEPT = re.compile(
    r"\b(?:packets?|heartbeats?|connect\w+|power|access|network|links?|routes?|capacity|quorum|leases?|sessions?|leader\w*|majority|wal|sales|revenue|money|visibility|contact with|track of|control|ability|touch)\b", re.IGNORECASE,
)  # fmt: skip


_FOR_GOOD = cue(
    r"permanently (?:deleted|lost|gone)\b", r"(?:gone|lost) (?:for (?:good|ever)|forever)\b"
)
_SO_THAT = re.compile(r"\b(?:so that|in order (?:that|to)|lest)\b[^.;]*", re.IGNORECASE)


def tells_of_losses(text: str, kind: str = "") -> bool:
    """Whether it says that data was lost, is older than it was, was made again by hand; or that none was.

    An action that takes an older copy says nothing yet of what will be missing.
    """
    parts = [part for part in clauses(_SO_THAT.sub(" ", text)) if not _FEARED.search(part)]
    if any(_NONE.search(part) or hit(part, _FOR_GOOD) for part in parts):
        return True
    if any(hit(part, lex.DATA_LOSS) and not _NOT_KEPT.search(part) for part in parts):
        return True
    if kind not in ("action", "decision") and any(hit(part, _OLDER) for part in parts):
        return True
    return any(
        hit(part, _GONE) and _KEPT.search(part) and not _NOT_KEPT.search(part) for part in parts
    )
