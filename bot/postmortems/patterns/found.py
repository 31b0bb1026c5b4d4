"""Whether a sentence says what had failed, and how sure it is of that. Pure.

NAMED      it calls it the cause, or says that it was identified, confirmed, established
FOUND      people came upon it: they find, trace, spot, it turns out
STATED     a hypothesis that is told without any doubt
"" else: a supposition, a list of candidates, what was ruled out, what was found about copies or about mending.
"""

import re
from collections import deque
from collections.abc import Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.sentence import clauses, cue, hit, says, supposed

NAMED, FOUND, STATED = "named", "found", "stated"

_NAMED = cue(
    r"root cause\b", r"(?:causes?|reason|culprit|trigger|origin|source)(?: of (?:the|this|it|that)(?: \w+){0,3})? (?:(?:is|was|were|had been|has been|are|became|becomes|turn\w* out to be)\b(?! (?:\w+ )?(?:unknown|unclear|sought|investigated|searched|a mystery|not|still))|:)",
    r"(?:cause|reason|culprit|origin|source|fault|fail\w*|problem)s? (?:(?!not\b|never\b|un|still\b)\w+ ){0,3}(?:found|understood|known|established|confirmed|identified|clear|located|pinpointed|determined|discovered|narrowed down)\b",
    r"(?:find|found|identif\w+|establish\w*|determin\w+|confirm\w*|discover\w*|know\w*|understand\w*|understood|sees?|saw|locat\w+|isolat\w+|pinpoint\w*) (?:\w+ ){0,2}(?:root )?(?:cause|reason|culprit|trigger|origin|fault|source of)\b",
    r"(?:is|was|are|were|been|being) (?:\w+ )?(?:identified|established|confirmed|determined|recogni[sz]ed|named|found) (?:\w+ )?as\b", r"as the (?:root )?(?:cause|reason|culprit|trigger|source)\b",
    r"to blame\b", r"at fault\b", r"responsible for (?:the|this|it)\b", r"what (?:broke|differs|set) (?:it|from|off)\b", r"(?:explains?|explained) (?:the|why|what|everything|it|this)\b",
    r"(?:caused|brought about) by\b(?! (?:the|this|that|our|us|an?) ?(?:\w+ )?(?:outage|incident|disruption|interruption|downtime|us|failure)?\b)", r"which is the (?:root )?(?:cause|reason)\b",
)  # fmt: skip
_HEADED = re.compile(r"(?:^|[.;(] ?)(?:root )?(?:cause|reason|culprit|finding|found|confirmed|diagnosis) ?: ?\w", re.IGNORECASE)  # fmt: skip
_FOUND = cue(
    r"(?:fault|leak|bug|defect|problem|error|issue|loop|deadlock|mistake)s? (?:\w+ ){0,5}(?:is|was|are|were|has been) (?:\w+ )?(?:isolated|located|found|identified|spotted|discovered|understood)\b", r"(?:fault|problem|error|issue|bug|trouble|defect|mistake) (?:lies|lay|is|was|sits|sat) (?:\w+ )?(?:in|with|inside|between)\b",
    r"(?:leads?|led|brings?|brought) (?:us|them|him|her|the \w+) (?:\w+ )?to (?:the|an?|commit|one|our|its|version|line)\b", r"arriv(?:es|ed) at (?:the|an?|our|its)\b", r"(?:look|glance|diff|analysis|check|test|dump|trace|log|logs|comparison|query|profile|graph|view|capture)\b(?: \w+){0,5} (?:shows?|showed|reveals?|revealed|proves?|proved|confirms?|confirmed) (?:a|an|the|that|one|two|it|how|why|what)\b", r"(?:see|sees|saw|notic\w+|observ\w+) that\b", r"(?:we|they|i|it is|he|she) (?:now )?(?:know|knew|knows|known) (?:now )?(?:what|why|that|where|which)\b",
    r"(?:work|figur|puzzl|mak|made)\w* out (?:that|what|it|which)\b", r"track\w* (?:it )?down\b", r"to the bottom of\b", r"identif(?:y|ies|ied)\b(?! to\b)", r"trac(?:e|es|ed|ing) (?:\w+ ){0,4}(?:back )?(?:to|down)\b", r"diagnos(?:e|es|ed)\b", r"pin-?point\w*",
    r"pin(?:s|ned)? (?:it|this|that|the \w+) (?:down )?(?:to|on)\b", r"(?:is|was|are|were) found (?:to be|in|that|to have)\b", r"(?:finds?|found) (?:out )?(?:the|that|an?|what|why|how|which|two|three|it|our|its|one)\b", r"(?:turns?|turned) out (?:that|to be|the|it)\b", r"(?:turns?|turned) out\b",
    r"(?:establish|conclud|determin|discover|realis|realiz|recogni[sz]|reveal)\w* (?:that|the|a|it|in|what|how|which)\b", r"confirm(?:s|ed)? (?:that|the|it|as)\b", r"(?:it is |was |are |were |is )?confirmed\b", r"narrowed\b", r"underst(?:and|ands|ood) (?:\w+ ){0,3}(?:what|that|why|how|from)\b", r"understood\b", r"isolat\w+ (?:the|it|to)\b",
    r"(?:becomes?|became|is now|it is|it was) (?:clear|evident|obvious|plain) (?:that|what|why|how|from)\b", r"(?:comes?|came|boils?|boiled) down to\b", r"(?:links?|linked|ties|tied|connects?|connected|correlat\w+|match\w*) (?:the|it|this|them|these|those|both|all) (?:\w+ ){0,5}(?:to|with) (?:the|an?|our|its|that|this)\b",
    r"confirm(?:s|ed)? (?:a|an) (?:\w+ ){0,2}(?:defect|bug|fault|error|failure|leak|flaw|misconfiguration|loop)\b", r"prov(?:es|ed) that\b",
    r"(?:spots?|spotted|notic(?:es|ed)) (?:that|the|an?|'|\")", r"points? (?:\w+ ){0,4}(?:straight |directly )?(?:to|at)\b", r"points? (?:for the first time )?to\b", r"come(?:s)? upon\b", r"stumbl\w+ (?:on|over|upon)\b", r"sees? the (?:\w+ ){0,2}(?:cause|reason|error|message|fault|problem)\b", r"dawn\w* on\b", r"it (?:is|was) seen that\b", r"comes? to light\b", r"came to light\b",
    r"(?:shows?|showed|reveals?|revealed) (?:that|it|clearly|what|why)\b", r"(?:recogni[sz]es?|recogni[sz]ed) (?:his|her|their|the|it|that|an?)\b",
)  # fmt: skip
_IN_ACTS = ("action", "decision", "step", "recovery", "communication")
_ACT_SAYS = cue(  # of acts, which have other ends: "restarted, so that they all point to one"
    r"(?:[sl]?trace|traces|captures?|dumps?|logs?|diffs?|quer(?:y|ies)|profil\w+|bisect\w*|comparison|look|analysis|analyser|analyzer|debugger|inspection|history|audit trail)\b(?: \w+){0,5} (?:shows?|showed|reveals?|revealed|points?|pointed|proves?|proved|gives? away|gave away|sees?)\b", r"locat(?:es|ed) (?:the|an?|one|it)\b", r"(?:we|they|i|he|she|team) (?:now )?(?:know|knew|knows) (?:who|what|why|which|where)\b",
    r"(?:sees?|saw|spots?|spotted|notic(?:es|ed)) (?:the|an?|that the|that an?) (?:\w+ )?(?:missing|wrong|bad|broken|stale|faulty|empty|old|swapped|inverted|duplicate|mistake|error|fault|typo)\b", r"confirm(?:s|ed)? (?:a|an|the) (?:\w+ ){0,2}(?:defect|bug|fault|error|failure|leak|flaw|misconfiguration|loop)\b", r"(?:is|was) the only (?:change|difference|thing that changed|candidate left)\b",
    r"(?:issue|problem|fault|failure)s? (?:is |was |were |are )?confirmed (?:on[- ]site|there|locally|at the|in the|by (?:a |the )?(?:test|look|inspection|measurement))\b",
    r"(?:we|they|he|she|team|engineers?|dbas?|admins?) (?:\w+ )?(?:see|sees|saw|notic\w+) that\b", r"(?:leads?|led) (?:us|them|him|her|the \w+) (?:\w+ )?to (?:commit|the (?:commit|change|line|release|cause|culprit))\b", r"identif(?:y|ies|ied) (?:the |this |an? )?(?:issue|problem|cause|fault|bug|error|defect|source|reason)s?\b",
    r"(?:finds?|found) (?:out )?(?:the|that|an?|what|why|how|which)\b", r"identif(?:y|ies|ied) (?:the|that|an?|what|why|it|which|one|two)\b", r"(?:turns?|turned) out\b", r"trac(?:e|es|ed) (?:\w+ ){0,4}(?:back )?to\b", r"sees? the (?:\w+ ){0,2}(?:cause|reason|error|message|fault|problem)\b", r"diagnos(?:e|es|ed)\b", r"pin-?point\w*", r"(?:is|was|are|were) found (?:to be|in|that|to have)\b", r"track\w* (?:it )?down\b", r"(?:work|figur)\w* out (?:that|what|it|which)\b", r"(?:recogni[sz]|discover|realis|realiz|reveal)\w* (?:that|the|a|it|what|his|her|their)\b", r"(?:spots?|spotted) (?:that|the|an?|'|\")", r"(?:establish|determin)\w* (?:that|the|what|how|which)\b", r"underst(?:and|ands|ood) (?:\w+ ){0,3}(?:what|that|why|how)\b", r"narrowed\b", r"isolat\w+ (?:the|it) (?:\w+ )?(?:to|fault|cause|problem)\b",
)  # fmt: skip
_DOUBT = re.compile(
    r"\b(?:suspect\w*|suspicion\w*|guess\w*|assum\w+|suppos\w+|believ\w+|(?:was|were|is|been|had) thought|we thought|thinks?|maybe|perhaps|(?<!to )blam(?:e|es|ed)|accus\w+|(?:everyone|everybody|all) thinks?|possibl\w+|probabl\w+|likely|presum\w+|apparently|"
    r"seems?|seemed|looks? like|looked like|appears? to|might|(?-i:may)|could be|wonder\w*|theor\w+|hypothes\w+|hunch|under the impression|(?:first|initial\w*|early) (?:idea|thought|lead|theory|look\w*|saw|suspect\w*)|at first|initially|"
    r"candidates?|either|one of (?:two|three|several)|whether)\b|\?", re.IGNORECASE,
)  # fmt: skip
_REFUTED = re.compile(
    r"\b(?:ruled out|rule out|rules out|not the (?:cause|case|problem|reason)|innocent|in the clear|excluded (?:as|by|from the list)|without (?:any )?(?:effect|result|change)|had nothing to do|nothing to do with|(?:was|is) not it|"
    r"turn\w* out (?:to be )?(?:wrong|false|unrelated|innocent|coincidence|not)|(?:proved|proven|was|is|were) (?:wrong|unfounded|false|mistaken|unrelated)|dead end|red herring|wrong track|(?:idea|theory|hypothesis|suspicion|suspicions|supposition|thought|lead) .{0,30}(?:dismissed|dropped|discarded|abandoned)|refuted|disproved|coinciden\w+|"
    r"does not (?:help|explain|fit)|did not (?:help|explain|fit)|still (?:the same|broken|white|failing|slow|down))\b", re.IGNORECASE,
)  # fmt: skip
_CONTRAST = re.compile(
    r"\b(?:and not|but not|rather than|instead of|not) (?:to |in |on |by |with )?([^,;.]{3,60})", re.IGNORECASE,
)  # fmt: skip
_NEAREST = 20  # contrasts that are remembered
_OF_MENDING = cue(
    r"(?:cop(?:y|ies)|print-?outs?|keys?|passwords?|spares?|replacements?|newest|(?:latest|last|good|clean|old|older|usable) (?:\w+ )?(?:job|backup|dump|version|image|tape|cassette|state)s?|\d[\d.,]* (?:of|other)|them (?:\w+ )?(?:complete|intact|all)|nothing (?:wrong|unusual)|no (?:errors?|faults?|problems?|anomal\w+)|re-?build\w*|re-?stor\w+|recover\w*|repairs?|fix|fixes|mend\w*|means|way|ways|workaround|remedy|solution|route|routes|extent|plan|schedule|time|eta|how (?:many|much|long|far))\b"
)
_LOST = cue(r"(?:found|confirmed|proved|proven|seen|shown) to be (?:\w+ )?(?:healthy|fine|ok|okay|intact|clean|correct|good|complete|unaffected|in order|normal|sound)\b", r"(?:fix|patch|workaround) (?:is |was )?(?:confirmed|found|identified)\b", r"(?:cannot|can not|can't|could not|never) be (?:\w+ )?(?:brought back|restored|recovered|retrieved|rebuilt|saved|found)\b", r"(?:beyond|past) (?:repair|recovery|rescue)\b", r"(?:is|are|was|were) (?:lost|gone|safe|complete|intact|working|healthy)\b", r"no data\b")  # fmt: skip
_NOTHING = re.compile(
    r"\b(?:f(?:i|ou)nds?|see|sees|saw|shows?|showed|get|got|have|had) (?:no|nothing|neither)\b|nothing (?:wrong|unusual|found|to see)|\b(?:is|are|was|were|remains?) (?:still |yet )?(?:not (?:yet )?(?:known|clear|understood|found)|unknown|unclear|open)\b|\d[\d.,]* of (?:the )?\d|\b(?:is|are|was|were|looks?) (?:all )?(?:normal|ok|okay|fine|healthy|clean|green|as (?:intended|usual|expected))\b|(?:it is|it's|is) not (?:them|us|ours|theirs|that)\b|\bdenies\b|changes nothing|no change\b|\ball (?:is|are|looks?|seems?) (?:\w+ )?(?:green|healthy|fine|normal|well)\b", re.IGNORECASE,
)  # fmt: skip
_COPY = cue(r"version(?:ing|s)\b", r"retention\b", r"restor\w+", r"replicas? (?:is|are|was|were) (?:stale|behind)", r"trial restore\b", r"fail-?safe\b", r"time travel\b")  # fmt: skip


def finding(text: str, kind: str = "") -> str:
    """How sure it is of what had failed; "" where it does not say that."""
    best = ""
    if _HEADED.search(text) and _plainly(text):
        best = NAMED
    for part in clauses(text):
        if supposed(part) or _DOUBT.search(part) or _REFUTED.search(part):
            continue
        if best != NAMED and hit(part, _NAMED) and not _about_mending(part):
            best = NAMED
        words = _ACT_SAYS if kind in _IN_ACTS else _FOUND
        if not best and hit(part, words) and not _about_mending(part):
            best = FOUND
    if best and _about_copies(text):
        return ""
    if not best and kind == "hypothesis" and _plainly(text):
        return STATED
    return best


def _plainly(text: str) -> bool:
    """Without doubt, refutation, or another subject than what had failed."""
    other = _DOUBT.search(text) or _REFUTED.search(text) or _NOTHING.search(text) or supposed(text)
    return not other and not _about_copies(text) and not says(text, _LOST)


def _about_mending(part: str) -> bool:
    """Whether what was found is how to mend it, or what it cost."""
    if _LOST.search(part):
        return True
    found = next((m for m in _FOUND.finditer(part)), None)
    behind = (
        " ".join(part[found.end() :].split(" and ", maxsplit=1)[0].split()[:5]) if found else ""
    )
    return bool(behind and _OF_MENDING.search(behind)) and not _NAMED.search(part)


def _about_copies(text: str) -> bool:
    """That a copy turns out to be bad is another finding."""
    return says(text, lex.COPIES, lex.BAD_COPY) or any(_COPY.search(p) and not _NAMED.search(p) for p in clauses(text))  # fmt: skip


def tells_what_was_found(text: str, kind: str = "") -> bool:
    """Whether it says what had failed, in words of finding."""
    return finding(text, kind) in (NAMED, FOUND)


def taken_back(texts: Sequence[str]) -> list[bool]:
    """Of each sentence, whether a later one that speaks of the same thing says that it was not so."""
    gone: set[str] = set()
    contrasts: deque[set[str]] = deque(maxlen=_NEAREST)
    found: list[bool] = []
    for text in reversed(texts):
        things = _things(text)
        found.append(bool(things & gone) or any(len(things & each) > 1 for each in contrasts))
        if _REFUTED.search(text):
            gone |= things
        elif (contrast := _CONTRAST.search(text)) and finding(text, "hypothesis"):
            contrasts.appendleft(_things(contrast.group(1)))
    return found[::-1]


def _things(text: str) -> set[str]:
    """Its longer words, without their ends."""
    return {word[:6] for word in re.findall(r"[a-z]{5,}", text.lower())} - _EMPTY


_EMPTY = {word[:6] for word in ("there", "where", "which", "their", "after", "before", "while", "cause", "service", "still", "again", "first", "could", "would", "about", "because", "since", "other", "these", "those", "ruled", "server", "servers")}  # fmt: skip
