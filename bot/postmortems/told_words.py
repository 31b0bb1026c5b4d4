"""The words by which a told row is a mark: how harm, its end, and the steps of a response are said. Pure."""

import re

from bot.postmortems.patterns.sentence import cue

# Harm, of a trigger and of a detection: what users have is gone, not merely a part behind it.
LOST = cue(r"cuts?\b", r"los(?:es|t|s)\b", r"go(?:es)? down\b", r"went down\b", r"unreachable\b", r"fails?\b", r"failed\b", r"unavailab\w+", r"crash\w*", r"(?:stops?|stopped) (?:serv|answer|work|accept|respond|process|deliver|tak)\w*", r"offline\b",
    r"(?:system|service|site|platform|server|application|database|production|plant|line|shop|store|everything|all)s? (?:\w+ )?(?:stops?|stopped|halts?|halted|came to a (?:stop|halt)|comes? to a (?:stop|halt)|stood still|stands still)\b", r"(?:returns?|returning|answer\w*|serv\w+|give[sn]?) (?:\w+ ){0,3}(?:http )?5(?:\d\d|xx)s?\b",
    r"(?:is|are|was|were|gets?) (?:\w+ )?(?:deleted|removed|wiped|destroyed|dropped)\b")  # fmt: skip
HURT = cue(
    r"errors?\b", r"5\d\ds?\b", r"5xx\b", r"unreachable\b", r"unavailab\w+", r"time-?outs?\b", r"(?:is|are|was|were|goes?|went) (?:\w+ )?(?:down|offline|gone|missing)\b", r"no longer (?:exist|work|answer|respond|load|open|available)\w*",
    r"fail(?:s|ing|ed|ures?)\b", r"declined\b", r"cannot\b", r"could not\b", r"unable to\b", r"complain\w*", r"disappear\w*", r"invalid\b", r"rejected\b", r"broken\b", r"not (?:working|loading|responding|available|reachable)\b",
)  # fmt: skip
UNHURT = re.compile(
    r"\b(?:without (?:any )?(?:\w+ ){0,2}(?:impact|effect|harm|consequence|interruption|disruption)\w*|"
    r"(?:not|n't|never)(?: yet)? (?:\w+ )?(?:affect\w*|impact\w*|notice\w*|hurt|harmed|hit|visible)|unaffected|"
    r"(?:no|nobody|no one|none)(?: of the)? ?(?:\w+ )?(?:users?|customers?|players?|clients?|requests?|impact|effect|one)?(?: \w+){0,2} (?:impact\w*|affected|noticed|notices|feels?|felt|hurt|harmed|yet)|no (?:user|customer|visible) (?:impact|effect)|"
    r"(?:users?|customers?|players?|clients?) (?:\w+ )?(?:notice|noticed|felt|feel|saw|see) nothing)\b", re.IGNORECASE,
)  # fmt: skip
AS_PLANNED = re.compile(
    r"\b(?:as (?:it was )?(?:foreseen|planned|announced|scheduled|intended|agreed|expected|usual)|according to (?:the )?plan|(?:planned|announced|scheduled|agreed) (?:\w+ )?(?:downtime|pause|break|interruption|maintenance|outage|window|stop))\b", re.IGNORECASE,
)  # fmt: skip
ON_PURPOSE = re.compile(
    r"\b(?:on purpose|staging|test (?:system|site|environment|cluster)|game ?days?|drill|exercise|rehears\w*)\b", re.IGNORECASE,
)  # fmt: skip
HARM_ENDED = cue(  # of an action that says so itself
    r"(?:errors?|failures?|time-?outs?|outage|impact|complaints?|rejections?|declines?|disruption|degradation|alerts?|alarms?) (?:then |also |all |at once |immediately )?(?:ends?|ended|stops?|stopped|ceases?|ceased|disappears?|disappeared|vanish\w*|subsid\w+|cleared?|clears|(?:go|goes|went) away|(?:is|are|was|were) (?:over|gone)|(?:drop|fall|fell|went)\w* (?:back )?to (?:zero|normal|nothing|baseline))\b"
)

# A recovery that says that something is still missing.
PARTLY = re.compile(
    r"\b(?:partial\w*|partly|in part|part of|parts of|not (?:all|every\w*|yet|fully|completely)|(?:vast |great |large |overwhelming )?majority|mostly|largely|the bulk of|the rest\b|for now|(?:two|three|four|five|six|seven|eight|nine|ten|\d+) of (?:the |our )?(?:two|three|four|five|six|seven|eight|nine|ten|twelve|\d+)\b|slowly|gradually|little by little|one by one|limps?|emergency (?:mode|operation)|\w+ (?:follows?|to follow|will follow)$|(?:remain|stay)\w* (?:off|down|out|closed|slow|unavailable|disabled|degraded|affected|offline)|only (?:\w+ ){1,2}(?:works?|is|are|back|return\w*)|(?:recovery|return|restart) of the first|"
    r"(?:nearly|almost|practically|virtually) (?:all|every\w*|normal|fully|full|complete\w*|the (?:whole|entire)|back|as)|degraded|limited|reduced|read[- ]only|at reduced|"
    r"(?:begins?|began)\b(?! (?:the|a|an|of)\b)|(?:starts?|started) (?:to\b|(?:serv|return|com|recover|work|answer|flow|load|respond)\w*ing)|enough .{0,20}to begin|several(?! (?:minutes|hours|days|weeks|times))|some(?! (?:minutes|hours|days|weeks|time|seconds|sluggish|delay))(?=\b)|"
    r"first (?:\w+ ){1,3}(?:is |are |was |were |has |have |come |came |been )*(?:back|again|return\w*|online|up|restored|recover\w*|available)|first (?:wave|attack|strike|round|blow)\b|still\b(?! (?:\w+ )?(?:monitor|watch|observ|investigat|look|being)\w*)|resum(?:es|e|ing)\b(?! normal)|improv\w+|"
    r"\d{1,2}(?:[.,]\d+)? ?(?:%|per ?cent) of|half (?:of|the (?:users|customers|sites|servers|traffic|fleet|stores))|slow but|affected|(?:residual|remaining|lingering|intermittent|occasional) (?:\w+ ){0,2}(?:trouble|issue|problem|error|impact|effect|delay|fault)\w*|"
    r"except\b(?! that)|apart from|other than|main (?:part|services?)|core (?:\w+ )?(?:services?|functions?|systems?)|(?:small|limited) (?:number|share|part|group) of|kept red|at least (?:for )?(?:part|some)|recovering|is lost for good|lost for (?:good|ever))\b", re.IGNORECASE,
)  # fmt: skip
MOST = re.compile(r"\bmost\b", re.IGNORECASE)
AT_MOST = re.compile(r"\bat most\b", re.IGNORECASE)
BY_ITSELF = re.compile(
    r"\b(?:by (?:itself|themselves)|on (?:its|their) own|of (?:its|their) own accord|without (?:doing|having|needing|any(?:body|one)?|further|help|our)\b)", re.IGNORECASE,
)  # fmt: skip
WAS_SO = re.compile(  # what something came back from is over
    r"\b(?:recover\w*|back|return\w*|come|came) from (?:the |this |its |their )?[^,;]*",
    re.IGNORECASE,
)
WITHOUT = re.compile(r"\bwithout (?:the )?([a-z][\w-]{3,})", re.IGNORECASE)
MANNER = re.compile(  # "without" these nothing is missing
    r"^(?:loss|losing|doing|having|needing|any\w*|error\w*|delay\w*|problem\w*|interruption\w*|trouble\w*|incident\w*|intervention|help|impact|further|data|restart\w*|issue\w*|fault\w*|exception\w*|notice|manual\w*)", re.IGNORECASE,
)  # fmt: skip

# Somebody tells of it once more, which finds nothing.
CONTACT = re.compile(
    r"\b(?:(?:tele)?phon\w*|calls?|called|contact\w*|report(?:s|ed)?|complain\w*|rings?|rang|inform\w*|notif\w*|writes?|wrote|tweet\w*|mails?)\b", re.IGNORECASE,
)  # fmt: skip

# Who takes it up.
_THE_CALL = r"(?:page|pages|alert|alarm|ticket|call|case|incident|phone|pager|issue|matter)"
TAKEN_UP = cue(
    r"acknowledg\w+", r"ack(?:s|ed|'d)\b", r"acks? by\b", r"ack(?:s|ed)? (?:it|this|the|after|within|from)\b", r"triag\w+",
    r"pick(?:s|ed)? (?:it|this|that) up\b", rf"pick(?:s|ed)? up (?:the |this |that |an? |her |his )?(?:\w+ )?{_THE_CALL}\b", rf"(?:it|{_THE_CALL}) (?:is |was |gets? |got )?(?:picked up|taken(?: up| over)?|answered|accepted|assigned) (?:by|to)\b",
    r"^(?:i'm |i am )?on it\b", r"(?:manager|team|leader|commander|engineer|on-?call|shift|level|desk|officer|coordinator|admin) (?:takes|took) over\b", r"(?:has|have|had|takes|took) the pager\b", rf"accept(?:s|ed) (?:the |this )?{_THE_CALL}\b",
    r"(?:takes?|took|taking) (?:the lead|command|charge|ownership|it up|this up|it over|over the (?:incident|case|response))\b", rf"(?:takes?|took) (?:over )?(?:the |this )?{_THE_CALL}\b", r"(?:takes?|took) over as (?:incident|commander|lead|manager|coordinator)\b", r"(?:assumes?|assumed) (?:command|the lead|responsibility)\b", r"(?:leads?|led|leading|coordinates?) the (?:response|incident|investigation)\b",
    rf"(?:responds?|responded|answers?|answered|reacts?|reacted) (?:to )?(?:the |this |that )?(?:\w+ )?{_THE_CALL}\b", r"(?:i'm|i am|we're|we are|is|are) on it\b", r"investigation (?:is |was )?(?:begins?|began|starts?|started|opened|launched|under way)\b", r"(?:starts?|started|opens?|opened|launch(?:es|ed)?) an? (?:\w+ )?investigation\b",
)  # fmt: skip
SOMEBODY_BEGINS = cue(  # together with a person
    r"joins?\b(?! (?:the |an? )?(?:cluster|quorum|fleet|pool|ring|group|replica\w*))", r"joined\b(?! (?:the |an? )?(?:cluster|quorum|fleet|pool|ring|group|replica\w*))", r"responds?\b", r"responded\b", r"(?:beg[ia]ns?|starts?|started) (?:to )?(?:investigat|look|triag|work|diagnos|dig|check)\w*", r"(?:was|were|is|are) (?:already )?(?:looking|investigating|working on (?:it|this|the))\b",
    r"looks? into (?:it|this|the)\b", r"(?:says?|said|writes?|repl\w+|answers?)(?: in \w+)? (?:looking|on it)\b", r"(?:takes?|took) (?:it|this|that)\b", r"(?:comes?|came|gets?|got) on(?: ?line| the (?:bridge|call|line))\b", r"logs? (?:on|in) (?:and|to (?:look|check|investigate))\b",
)  # fmt: skip
A_PERSON = re.compile(
    r"@\w+|\b(?:engineers?|operators?|technicians?|admin\w*|dbas?|sres?|on-?call|responders?|teams?|staff|developers?|someone|somebody|specialists?|colleagues?|we|he|she|analysts?|officers?|managers?|leads?|supervisors?|members?|experts?|people|crew|desk)\b", re.IGNORECASE,
)  # fmt: skip

# Declared and closed.
_INCIDENT = r"(?:incident|outage|emergency|crisis|disaster|sev[- ]?\d)"
_KIND_OF = r"(?:an? |the |it (?:as )?|this (?:as )?)?(?:an? )?(?:[\w-]+ ){0,2}"
_ROOM = (
    r"(?:bridge|war[- ]?room|(?:incident|crisis|conference|emergency|bridge) (?:call|channel|room))"
)
_OVER = r"(?! (?:as )?(?:\w+ )?(?:resolved|over|closed|ended|finished|mitigated|concluded|done))"
DECLARED = cue(
    rf"declar\w+ {_KIND_OF}{_INCIDENT}\b{_OVER}", r"(?:opens?|opened|rais(?:es?|ed)|logs?|logged|calls?|called|announc\w+|creat\w+) (?:an? |the |it an? )(?:[\w-]+ ){0,2}incident\b",
    rf"incident (?:call |ticket |record )?(?:[a-z]+-?\d+ )?(?:is |was |has been |had been )?(?:declared|raised|opened|called|created|announced|logged|invoked){_OVER}", r"major incident (?:is |was )?started\b",
    r"(?:incident|emergency|crisis|disaster) (?:response |management |recovery )?(?:process|procedure|protocol|plan|channel|team|organi[sz]ation) (?:is |was |has been )?(?:started|invoked|opened|activated|engaged|triggered|initiated|called|put in)",
    rf"(?:opens?|opened|starts?|started|sets? up|conven\w+|establish\w*|creat\w+|spins? up|spun up) (?:an? |the |up an? )?(?:[\w-]+ ){{0,2}}{_ROOM}\b", rf"{_ROOM} (?:line )?(?:is |was |has been )?(?:opened|set up|started|convened|established|created|open)\b",
    r"(?:crisis|emergency|incident|major incident) (?:management )?(?:team|staff|cell|unit|committee|group|board) (?:is |was |has |had )?(?:been )?(?:\w+ )?(?:conven\w+|meets?|met|assembl\w+|activated|called|formed|gather\w*|summoned|stood up|alerted)\b",
    r"(?:conven|activat|assembl|summon|invok|trigger|initiat)\w* (?:the |our |its |an? )?(?:[\w-]+ ){0,2}(?:incident|emergency|crisis|disaster|continuity) (?:\w+ ){0,2}(?:process|procedure|plan|protocol|team|response|staff|cell|committee|group)\b", r"major incident (?:process|procedure|management) ",
    r"(?:escalat|upgrad|set|classif|categori|rat|promot)\w* (?:\w+ ){0,3}(?:as |to |at |a )+(?:an? )?(?:sev(?:erity)?|p|prio(?:rity)?)[- ]?[0-3]\b(?! al)", r"(?:sev(?:erity)?|p|prio(?:rity)?)[- ]?[0-3] (?:incident )?(?:is |was )?(?:declared|opened|called|raised)\b",
    r"state of emergency\b", r"code (?:red|black|orange) (?:is |was )?(?:declared|called|given)\b", rf"(?:outage|emergency|crisis|disaster|sev[- ]?\d) (?:is |was |has been )?declared\b{_OVER}", r"incident (?:commander|manager) (?:is |was )?(?:appointed|named|assigned|called)\b", r"incident (?:channel|room|ticket|bridge|call) (?:#?[\w-]+ )?(?:is |was )?(?:created|opened|started|set up)\b",
    r"(?:incident|mim|emergency|crisis)(?: management| response)? (?:process|procedure|plan) (?:is |was )?(?:kick\w* off|starts?|begins?|runs|in force)\b", r"(?:bridge|war ?room) is (?:up|running|open)\b", r"(?:go|goes|went|move|moves|moved) to (?:sev(?:erity)?|p|prio(?:rity)?)[- ]?[0-3]\b",
)  # fmt: skip
NOBODY = re.compile(r"\b(?:nobody|no one|none|nor|neither)\b", re.IGNORECASE)
CLOSED = cue(
    r"(?:incident|outage|case|bridge|ticket|(?:p|sev|prio|priority)[- ]?[0-4]|inc-?\d+|mi-?\d+) (?:record |ticket |call )?(?:is |was |has been |had been |can be |now |being |over and |done and )*(?:formally |officially |finally |then )?(?:closed|stood down)\b", r"(?:call|consider|mark|declar)\w* (?:it |the incident |as )*closed\b", r"(?:closes?|closing|closed) (?:out )?(?:the|this|our) (?:\w+ )?(?:incident|outage|case|bridge)\b", r"(?:stands?|stood) down\b", r"all[- ]clear (?:is |was )?(?:given|sounded|issued|declared)\b", r"(?:gives?|gave|sounds?|sounded|issued) the all[- ]clear\b",
)  # fmt: skip

# The response is under way, before any detection is told.
AT_WORK = cue(
    r"investigat\w+", r"look(?:s|ed|ing)? into\b", r"(?:are|is|were|be) aware (?:of|that)\b", r"aware of (?:an?|the)\b", r"work(?:s|ed|ing)? (?:to|on|at) (?:re\w+|fix|mend|find|solv|it|this|the)\w*", r"review(?:s|ed|ing) (?:system|log|data)\w*", r"engaged to\b", r"troubleshoot\w*", r"experiencing\b", r"sorry\b", r"diagnos\w+",
)  # fmt: skip
MENDS = cue(
    r"(?:roll|rolled|rolls|rolling) (?:\w+ ){0,4}back\b", r"rollback\b", r"revert\w*", r"restart\w*", r"reboot\w*", r"disabl\w+", r"enabl\w+ (?:the )?maintenance", r"maintenance (?:mode|page)\b", r"block\w*", r"fail(?:s|ed)? (?:\w+ ){0,2}over\b", r"isolat\w+", r"stop\w* (?:the|any|all)\b", r"shed\w* (?:load|traffic)", r"re-?rout\w+", r"(?:turn|switch)(?:s|ed|es)? (?:\w+ ){0,3}off\b", r"restor\w+", r"kill(?:s|ed)\b", r"pull\w* the plug",
)  # fmt: skip
