"""How a sentence tells of two sides, of which one took itself for the only one left and the other had never gone.

In the words of those who stood before it: a site by its name, a machine that concludes, a pair that sent each
other to death, lists that are no longer alike, a choice between opening now and being sure.
"""

import re

from bot.postmortems.patterns.sentence import cue

MACHINE = cue(  # what can draw a conclusion, or be drawn one about
    r"(?:servers?|units?|computers?|nodes?|heads?|peers?|brokers?|members?|partners?|twins?|neighbou?rs?|gateways?|systems?|sites?|rooms?|cent(?:er|re)s?|stations?|boxes|box|halves|half|sides?|software|logic|observers?|arbiters?|witness(?:es)?|cluster|pairs?|plants?|controllers?|routers?|switch(?:es)?|firewalls?|databases?|hosts?|machines?|stand-?bys?|reserve|replicas?|groups?|agents?|it)\b",
)  # fmt: skip
_DEAD = r"(?:dead|died|dying|perish\w*|gone|lost|down|failed|failure|ceased|vanish\w*|away|expired|defunct|departed|silent|missing|no more|not alive|no longer (?:alive|there|with us|living|present)|out of (?:action|service|order)|broken)\b"
_ALONE = r"(?:(?:of|on|by) (?:its|their) own(?: accord| initiative| motion)?|by (?:itself|themselves)|without (?:being asked|any\w* (?:being )?(?:ask|told|know|hav|decid)\w*|a (?:person|human|word|request|command)|ask\w+)|un-?asked|un-?bidden)\b"
TAKES_COMMAND = cue(  # what automation does that holds the other for dead
    rf"(?:conclud|reckon|judg|deem|believ|assum|suppos|think|thought|decid|consider|hold|held|count|regard|tak|took|giv|gave|find|found|infer|presum|diagnos|declar|writ|wrote|report)\w*\b.{{0,60}}?\b{_DEAD}",
    r"(?:assum|seiz|tak|took|usurp|grab|claim|acquir)\w* (?:\w+ ){0,3}?(?:command|control|charge|lead|leadership|the role|its role|the part|responsibility|ownership|volumes?|the (?:work|duty|duties)|the address)\b", r"(?:put|plac|mak|made|turn|declar|appoint|instal|name|proclaim|elevat|rais|crown)\w* (?:itself|themselves|(?:\w+ ){1,4}?(?:the )?(?:new )?(?:primary|leader|master|active|commander|owner)|(?:\w+ ){1,4}?into (?:the )?(?:primary|leader|master))\b",
    r"(?:bring|brings|brought|start|starts|started) (?:up )?.{0,50}\bon (?:its|their) (?:own )?side\b", r"vot(?:e|es|ed) (?:it|them|\w+) (?:out|off)\b", r"elect(?:s|ed)\b", r"hand(?:s|ed)? (?:its|their|the|all) (?:\w+ ){1,3}(?:to|over)\b",
    r"(?:each|both) (?:\w+ ){0,4}?(?:told|tells?|sen[dt]s?|ordered|orders?|ask\w*|instruct\w*|command\w*|shot|shoots?|kill\w*|switch\w*) (?:the other|its \w+|one another|each other)\b", r"each sent its \w+ the (?:order|command|signal)\b", r"(?:kill|shut-?down|power-?off|reset|fencing|poison) (?:orders?|commands?|messages?|signals?|pills?)\b",
)  # fmt: skip
UNASKED = cue(_ALONE)
STILL_THERE = cue(  # of the side that was given up
    r"never (?:\w+ )?(?:stopp\w+|unwell|ill|sick|gone|away|died|failed|let go|left|ceased|faltered|gave up|given up|handed|been (?:down|away|dead|gone|ill|unwell|out))\b", r"in (?:good|perfect|full|best|excellent|rude|fine) (?:\w+ )?(?:health|order|condition|working order|shape)\b", r"(?:alive|fit|up|safe) and (?:well|kicking|running|healthy|working|serving|sound)\b", r"(?:perfectly|entirely|completely|quite|still|fully|wholly) (?:fit|well|alive|healthy|sound|fine|awake|intact)\b", r"had(?: not|n't) (?:gone|stopp\w+|died|failed|moved|left|ceased)\b", r"nothing (?:was |had been |is |at all )*(?:wrong|amiss|the matter) with\b", r"(?:did|does|do|would|will)(?: not|n't) (?:let go|stop|step down|resign|give way|hand (?:it )?over|stand down|yield|retire|withdraw|give (?:it )?up)\b", r"(?:is|was|are|were) healthy\b", r"had (?:only|merely|just) been (?:silent|cut off|slow|frozen|asleep|out of)\b",
)  # fmt: skip
GOES_ON = cue(
    r"(?:goes|went|go|going|kept|keeps|keep|carr(?:y|ies|ied)|continu\w+)(?: on| right on| to)? (?:accept|serv|issu|send|tak|book|writ|command|register|deliver|process|hand|giv|answer|operat|rout|sell|control|print|steer|run|record|admit|charg|pay|post)\w*", r"(?:still|also|as always|as before|as ever)\b.{0,30}\b(?:accept|serv|issu|send|book|writ|command|register|deliver|process|rout|sell|control|steer|record|post)\w*", r"(?:accept|serv|issu|send|book|writ|command|register|deliver|process|rout|sell|control|steer|record|post)\w*\b.{0,40}\b(?:as always|as before|as ever|too|as well|likewise)\b",
)  # fmt: skip
NO_TALK = cue(  # the two could not hear each other, and that was all
    r"(?:cannot|could not|can ?not|can't|couldn't|no longer|unable to) (?:\w+ )?(?:hear|see|reach|talk to|speak to|find|contact|ping|communicate with) (?:each other|one another|its (?:partner|peer|twin|neighbou?r)|the other)\b", r"out of (?:touch|contact|sight|earshot)\b", r"(?:hears?|heard|sees?|saw|gets?|got|receiv\w+) (?:nothing|no (?:answer|sign|word|reply|beat|heart-?beat))\b", r"(?:interrupt|sever|cut|drop|br(?:ea|o)k|fad|los|block|delay|hold|held|flood|disturb|stall|clog|jam|saturat)\w*\b.{0,50}\b(?:lines?|links?|tunnels?|connections?|paths?|frames|heart-?beats?|traffic|contact|fibres?|fibers?|circuits?|ring|wan|vlan)\b", r"(?:lines?|links?|tunnels?|fibres?|fibers?|circuits?|connections?|paths?|ring|traffic|wan|network|radio)\b.{0,50}\b(?:interrupt\w*|sever\w*|cut|drop\w*|fad\w+|flap\w*|st(?:ands?|ood) still|paus\w+|stutter\w*|fr[eo]z\w*|disturbed|broken)\b", r"re-?rout\w+", r"(?:fr[eo]z|freez|stall|paus|stutter|hang|hung)\w*\b.{0,50}\b(?:for|of) (?:\w+ ){0,2}(?:\d+|\w+) (?:seconds?|minutes?)\b", r"network\b.{0,40}\b(?:unsteady|unstable|shaky)\b", r"miss\w* (?:\w+ ){0,4}(?:beats?|heart-?beats?)\b",
)  # fmt: skip
NOT_ALIKE = cue(  # what one side has the other has not
    r"only (?:in|at|on|by|to) .{1,60}?\bonly (?:in|at|on|by|to)\b", r"(?:exist\w*|found|known|held|present|stored|entered|booked|seen) only (?:in|at|on|by|to)\b", r"(?:in|at|on|to|by) (?:the )?\w+ alone\b.{0,60}\balone\b", r"that only (?:\w+ ){1,2}(?:knew|knows|had|has|held)\b", r"no longer (?:\w+ )?(?:alike|the same|identical|equal|agree\w*|match\w*|tally|tallies|in step|in agreement)\b", r"(?:do|does|did|would|will)(?: not|n't) (?:tally|agree|match|add up)\b", r"both (?:\w+ ){0,6}?(?:in (?:command|charge|control)|lead|leading|claim\w*|active|the (?:active|leading|primary|main|true) (?:one|side)|the master|the boss)\b", r"two (?:\w+ ){0,3}(?:claim|say|hold|believe|with|think)\w* .{0,30}\b(?:role|lead|primary|master|charge|command)\b", r"(?:which|whose) (?:\w+ ){1,4}(?:is|was|are|were) (?:the )?(?:true|right|real|valid|correct|good|current)\b", r"whose (?:\w+ ){1,3}(?:holds?|held|counts?|counted|appl\w+|prevails?)\b", r"(?:orders?|commands?|messages?|payments?|points?|bookings?|jobs?|requests?)\b.{0,20}\btwice\b",
)  # fmt: skip
CHOOSES = cue(  # certainty before a quick return
    r"(?:options?|choice|choose|chose|could|between)\b.{0,90}\b(?:or|instead of)\b.{0,60}\b(?:merg|compar|reconcil|check|verif|prov|match|stay|sort)\w*", r"(?:compar|merg|reconcil|check|verif|prov|match|sort)\w*\b.{0,60}\b(?:first|before|instead of|rather than|and not)\b", r"until (?:it is |it was |they are |we are |\w+ (?:is|are) )?(?:\w+ )?(?:certain|sure|clear|proven|known|compared|checked|verified|every|all|both|the (?:last|lists?))\b", r"nobody (?:can|could|knows|knew) (?:say |tell )?(?:which|whose)\b", r"(?:rather than|instead of|do not|don't|not) (?:just |simply |merely )?(?:start|switch|power|open|restart|bring|trust|throw|discard|los)\w*", r"(?:work|find|found|establish|determin)\w* (?:out )?.{0,50}\b(?:which|who) .{0,50}\b(?:last|newest|latest|most recent|true|right)\b", r"so that no(?:thing)? .{0,30}(?:backwards|lost|overwritten|twice|missing)\b", r"stays? (?:shut|closed|down|offline|frozen)\b", r"call\w* off\b",
)  # fmt: skip
HELD = cue(  # work is held back until the sides agree
    r"(?:stop|hold|held|halt|suspend|clos|shut|freez|froz|paus|ground)\w*\b.{0,40}\b(?:movements?|trains?|pumps?|deliver\w+|payments?|traffic|flights?|tills|trading|session|sales|intake|production|counters?|surgeries|machines)\b", r"(?:movements?|trains?|deliver\w+|payments?|traffic|flights?|tills|trading|session|sales|intake|top-?ups?|counters?|bookings?|records?) (?:\w+ ){0,3}(?:stopp\w+|held|halted|suspended|closed|shut|frozen|paused)\b", r"no (?:train|vehicle|order|payment|flight|one|booking) (?:moves?|may|is to|goes|gets)\b", r"(?:to|on|over to) (?:paper|local (?:mode|control)|manual control|pen and paper)\b",
)  # fmt: skip
BROUGHT_TOGETHER = cue(
    r"(?:logs?|journals?|lists?|records?|entries|bookings?|balances?|bags?|events?|disks?|pictures?|tables?|sides|copies|halves)\b.{0,60}\b(?:compar\w*|side by side|merg\w*|reconcil\w*|carried across|re-?entered|read (?:again|back)|checked (?:against|before)|typed in again|corrected|matched)\b", r"(?:compar|merg|reconcil|match)\w*\b.{0,60}\b(?:logs?|journals?|lists?|records?|entries|bookings?|balances?|both|disks?|tables?|sides|copies|scripts?|line by line|printouts?)\b", r"comparison\b", r"merge (?:scripts?|runs?|jobs?|tool)\b", r"(?:re-?)?built (?:\w+ ){0,3}(?:from|as)\b",
)  # fmt: skip
_DUE = r"(?:should|ought to|was to|were to|meant to|supposed to|due to|expected to|designed to|intended to|built to) (?:\w+ ){0,3}?(?:tak\w+|step\w*|assum\w+|com\w+|kick\w*|jump\w*|fill\w*|pick\w*|reliev\w+|replac\w+|switch\w*|cut|fail|start\w*|becom\w+)\b"
DUE_BUT = cue(  # the one that should have stepped in did not
    rf"{_DUE}[^.;]{{0,90}}?\b(?:(?:did|does|do|has|had|was|would|could)(?: not|n't)|never|stayed|remained|in vain|but not|no such)\b", rf"{_DUE}[^.;]{{0,60}}[.;] (?:but |and |yet )?(?:it |that |this |they )?(?:(?:did|does|has|had)(?: not|n't)|nothing (?:of|happen\w*)|never|none)\b", r"no longer tak(?:es|e|ing) over\b", r"(?:did|does|would|could)(?: not|n't) (?:take|assume|step into|fill) (?:\w+ )?(?:its|the|his|their) (?:place|part|role|work|duty|duties|shoes)\b",
)  # fmt: skip
FORCED = cue(  # what people made of the one that had not
    r"(?:forc|push|put|bring|brought|press|turn|switch|start|chang|activat|mov|swing|swung|heav)\w*\b.{0,50}\b(?:unit|spare|second|twin|reserve|stand-?by|back-?up|passive|redundant|secondary|other (?:unit|node|side|server|controller|machine))\b", r"(?:unit|spare|second|twin|reserve|stand-?by|back-?up|passive|redundant|secondary)\b.{0,50}\b(?:forced|pushed|put|brought|pressed|turned|switched|started|activated|swung|made active)\b",
)  # fmt: skip
NOT_DEATH = re.compile(  # what really failed is not there to go on
    r"\b(?:dies|died|dead|burn\w*|panic\w*|power (?:supply|module)|broken|defective|blown)\b", re.IGNORECASE,
)  # fmt: skip
