"""The words by which a sentence shows what it is about: actors, tools, ways in, copies, scope.

General English of operations, not that of one outage. A signal always asks for several of these in
one clause, in rows of the right kind and phase: alone, none of them is evidence of anything.
"""

from bot.postmortems.patterns.sentence import cue

# Who acts, and who noticed.
PEOPLE = cue(
    r"engineers?\b", r"operators?\b", r"technicians?\b", r"electricians?\b", r"administrators?\b", r"dbas?\b", r"sres?\b",
    r"on-?call\b", r"responders?\b", r"teams?\b", r"staff\b", r"developers?\b", r"admins?\b",
    r"contractors?\b", r"some(?:one|body)\b", r"employees?\b", r"coordinator\b", r"commander\b", r"we\b",
    r"analysts?\b", r"specialists?\b", r"colleagues?\b", r"one of (?:the|our)\b",
)  # fmt: skip
AUTOMATION = cue(
    r"automat\w+", r"orchestrat\w+", r"schedulers?\b", r"controllers?\b", r"cron\b", r"pipelines?\b",
    r"ci\b", r"cd\b", r"fail-?over (?:manager|software|tool|system)", r"cluster (?:manager|software)",
    r"quorum\b", r"consensus\b", r"sentinels?\b", r"patroni\b", r"pacemaker\b", r"keepalived\b",
    r"health[- ]check\w*", r"heart-?beats?\b", r"watchdogs?\b", r"fenc\w+", r"stonith\b", r"auto-?scal\w+", r"by itself\b", r"themselves\b",
)  # fmt: skip
CUSTOMERS = cue(
    r"customers?\b", r"clients?\b", r"users? (?:report|complain|notic|tweet|call)", r"support\b",
    r"social media\b", r"twitter\b", r"tweets?\b", r"complain\w*", r"merchants?\b", r"subscribers?\b",
    r"a user\b", r"partners?\b", r"bank (?:report|call)", r"callers?\b", r"hotline\b", r"television\b", r"newspapers?\b", r"angry users\b",
    r"(?:members? of )?the public\b", r"(?:contact|call) cent(?:er|re)s?\b", r"help ?desk\b", r"passengers?\b", r"patients?\b", r"residents?\b", r"citizens?\b", r"phon(?:e|es|ed|ing) in\b",
)  # fmt: skip
OUTSIDERS = cue(
    r"outside (?:observers?|part|network|research)", r"outsiders?\b", r"third[- ]part\w+", r"external(?:ly)?\b",
    r"researchers?\b", r"observers?\b", r"downdetector\b", r"the press\b", r"news (?:sites?|outlets?)",
)  # fmt: skip
MACHINES = cue(
    r"alerts?\b", r"alarms?\b", r"paged\b", r"(?:first |a )?page:", r"first page\b", r"pages (?:for|about|the|fire|to|go|went)\b", r"pagers?\b", r"monitor\w*", r"probes?\b",
    r"synthetic\w*", r"thresholds?\b", r"detectors?\b", r"checks? (?:fail|fire)", r"automated (?:check|test)s?\b",
)  # fmt: skip

# Changes and how they reach production.
COMMAND = cue(
    r"commands?\b", r"playbooks?\b", r"procedures?\b", r"scripts?\b", r"by hand\b", r"manual\w*",
    r"runs?\b", r"ran\b", r"execut\w+", r"issue[sd]?\b", r"typed?\b", r"invok\w+", r"maintenance\b",
    r"admin\w* tool\w*", r"clicks?\b", r"clicked\b", r"buttons?\b", r"enter(?:s|ed)\b", r"instruct\w+", r"forced\b", r"by force\b",
)  # fmt: skip
ACCIDENT = cue(r"by (?:mistake|accident)\b", r"accidental\w*", r"inadvertent\w*", r"mistaken\w*", r"unintention\w*", r"in error\b", r"human error\b", r"erroneous\w*", r"unwitting\w*", r"slips? of\b")  # fmt: skip
UNATTENDED = cue(
    r"automat(?:ic\w*|ed\b)", r"ci\b", r"pipelines?\b", r"cron\b", r"scheduled (?:job|task)", r"schedulers?\b",
    r"auto-?scal\w+",
)  # fmt: skip
TAKE_AWAY = cue(
    r"remov\w+", r"drain\w*", r"scal(?:es?|ed|ing) (?:down|in|to)\b", r"terminat\w+", r"shut(?:s|ting)? ?down",
    r"decommission\w*", r"disconnect\w*", r"detach\w*", r"delet\w+", r"evict\w*", r"deschedul\w+",
    r"power(?:ed|s)? (?:off|down)", r"tak(?:es?|en|ing) .{0,30}(?:down|out|offline)", r"took .{0,30}(?:down|out|offline)",
    r"reboot\w*", r"stopp?(?:s|ed|ing)?\b", r"migrat\w+", r"withdr[ae]w\w*", r"de-?provision\w*",
    r"disabl\w+", r"(?:turn|switch)(?:s|es|ed|ing)? .{0,30}off\b", r"re-?(?:install|imag)\w*",
)  # fmt: skip
CAPACITY = cue(
    r"servers?\b", r"hosts?\b", r"nodes?\b", r"instances?\b", r"machines?\b", r"capacity\b", r"pods?\b",
    r"replicas?\b", r"links?\b", r"routers?\b", r"sites?\b", r"clusters?\b", r"workers?\b", r"fleet\b",
    r"jobs?\b", r"backbone\b", r"racks?\b", r"zones?\b", r"regions?\b",
)  # fmt: skip
MOVE = cue(
    r"shift\w*",
    r"mov(?:es?|ed|ing)\b",
    r"re-?rout\w+",
    r"redirect\w*",
    r"connect\w*",
    r"plugs?\b",
    r"unplug\w*",
    r"switch(?:es|ed)?\b",
)
TOO_FAR = cue(
    r"(?:far |much |many )?(?:more|larger|bigger|greater|wider)\b(?! (?:slowly|quickly)).{0,40}?\b(?:than|set|number|group|part|share|removed|affected|regions?)",
    r"than (?:was )?(?:intended|planned|meant|requested|expected)\b", r"too (?:many|much|large|wide)\b",
    r"unintended\w*", r"instead of\b", r"rather than\b", r"typo\b", r"mistyped\b", r"beyond (?:the|its|what)\b",
    r"(?:input|argument|flag|parameter|option|id|ids|list|value|selector|filter)s? (?:is|was|are|were) (?:wrong|missing|empty|incorrect|mistaken)",
    r"(?:wrong|incorrect|mistaken) (?:\w+ )?(?:input|ids?\b|arg\w*|flag|param\w*|hosts?\b|servers?\b|group|list|target|region|environment|cluster|database|value|set|scope|selector|routers?\b|network|links?\b|zone|cabinet|rack)",
    r"all (?:of )?(?:the |its |our )?(?:\w+ )?(?:links|servers|hosts|nodes|sites|instances|machines|clusters|replicas|workers|pods|routers|jobs|data ?cent(?:er|re)s)\b",
    r"(?:entire|whole|every) (?:of (?:the|our|its) )?(?:\w+ )?(?:fleet|cluster|region|network|site|subsystem|backbone|pool|product|service|link|storage|estate|system|platform|data ?cent(?:er|re))\b", r"every (?:[\w-]+ )?(?:link|server|host|node|machine|router)\b", r"multiple (?:clusters|regions|sites)\b",
    r"(?:live|active|production|healthy|running) (?:\w+ )?(?:servers|machines|hosts|nodes|instances)\b.{0,12}\b(?:too|also|as well)\b", r"(?:also|even) .{0,20}(?:live|active|production|healthy|running) (?:servers|machines|hosts|nodes|instances)\b",
)  # fmt: skip
CONTENT = cue(
    r"ip (?:blocks?|ranges?)\b", r"prefix(?:es)?\b", r"address (?:blocks?|ranges?)\b", r"topolog(?:y|ies)\b", r"terms\b",
    r"config\w*", r"rules?\b", r"rulesets?\b", r"flags?\b", r"polic(?:y|ies)\b", r"feature files?\b",
    r"content (?:updates?|files?|changes?)\b", r"channel files?\b", r"(?:definition|signature|detection|protection|security|threat|pattern|filter|data|model)s? (?:updates?|files?|feeds?)\b",
    r"templates?\b", r"dns (?:records?|zones?|changes?)\b", r"routing\b", r"route (?:filters?|polic\w+|changes?)\b",
    r"bgp\b", r"acls?\b", r"certificates?\b", r"quotas?\b", r"settings?\b", r"regular expressions?\b",
    r"regex\w*", r"sensor (?:content|updates?)\b", r"(?:block|deny|allow)?[ -]?lists?\b", r"entr(?:y|ies)\b", r"metadata\b",
    r"signatures?\b", r"definitions?\b", r"parameters?\b", r"(?:signing|public|encryption) keys?\b", r"key sets?\b",
)  # fmt: skip
SHIP = cue(
    r"deploy\w*", r"push\w*", r"roll(?:s|ed|ing)? (?:it |them )?out\b", r"rollouts?\b", r"releas\w+",
    r"publish\w*", r"check(?:s|ed)? (?:it |them )?in\b", r"commit(?:s|ted)?\b", r"(?:go(?:es)?|went|put) out\b", r"(?:fetch|retriev|download)\w*", r"appl(?:y|ies|ied|ying)\b", r"distribut\w+", r"propagat\w+", r"replicat\w+", r"merg\w+",
    r"go(?:es)? live\b", r"went live\b", r"activat\w+", r"enabl\w+", r"chang\w+", r"updat\w+", r"ship\w*",
    r"sent? (?:out|to)\b", r"load(?:s|ed)\b", r"deliver\w*", r"spread\w*", r"goes? to\b", r"reach\w*", r"install\w*", r"hand(?:s|ed) .{0,30}\bto\b", r"introduc\w+", r"switch(?:es|ed)? on\b", r"turn(?:s|ed)? on\b",
)  # fmt: skip
EVERYWHERE = cue(
    r"global(?:ly)?\b", r"world-?wide\b", r"everywhere\b", r"fleet[- ]wide\b", r"company[- ]wide\b",
    r"(?:all|every) (?:of )?(?:the |its |our )?(?:\w+ ){0,2}?(?:regions?|servers?|hosts?|machines?|sites?|locations?|pops?|edges?|nodes?|data ?cent(?:er|re)s?|zones?|clusters?|instances?|prox(?:y|ies)|devices?|sensors?|countries|continents)\b",
    r"(?:whole|entire) (?:\w+ )?(?:network|fleet|estate|platform|system|region|edge)\b", r"(?:multiple|several|across) regions\b",
    r"(?:[5-9]\d|100) ?(?:%|per ?cent) of (?:the |our |its |all )?(?:network|fleet|servers|hosts|machines|edge|sites|regions|devices|sensors|nodes)\b", r"millions of\b", r"every (?:\w+ )?client\b", r"(?:all over|throughout|around|across) the (?:world|globe|country|network|fleet|estate)\b", r"each and every\b", r"every last\b", r"no (?:region|site|location|data ?cent(?:er|re)) .{0,40}any ?more\b", r"goes to all\b",
)  # fmt: skip
PART_OF = cue(r"(?:per ?cent|%|part|share|fraction|subset|tenth|hundredth|handful|few) of\b")
TO_EVERYBODY = cue(r"every(?:body|one)\b", r"(?:all|every) (?:of )?(?:the |its |our )?(?:\w+ )?(?:customers?|users?|clients?|subscribers?|endpoints?|installations?|computers?|pcs?)\b")  # fmt: skip
ALTER = cue(
    r"chang\w+",
    r"edit\w*",
    r"modif\w+",
    r"tak\w+ .{0,40}out of\b",
    r"remov\w+",
    r"add(?:s|ed|ing)?\b",
    r"attach\w*",
    r"link\w*",
    r"set\b",
    r"writ\w+",
)
UNHEEDED = cue(
    r"although\b",
    r"despite\b",
    r"in spite of\b",
    r"ignor\w+",
    r"not (?:heeded|listened|stopped)\b",
    r"(?:goes|went) on\b",
    r"no effect\b",
    r"all (?:is|was) well\b",
    r"passes\b|passed\b",
)
UNSTAGED = cue(
    r"(?:rather than|instead of|not|never) (?:in )?(?:small )?(?:batches|stages|steps|waves|slices|phases)\b", r"(?:skips?|skipp\w+|need not pass) .{0,30}(?:stag\w+|stages|canar\w+|checks)\b",
    r"no (?:\w+ )?(?:stages?|staging|canar\w+|rollout|phases?)\b", r"(?:without|skips?|skipp\w+|by-?pass\w*|outside) .{0,30}(?:stag\w+|canar\w+|gradual|rollout|phase\w*)",
    r"not (?:been )?(?:staged|canaried|phased)\b", r"(?:all )?at once\b", r"(?:with)?in (?:a few )?seconds\b", r"simultaneous\w*", r"at the same time\b", r"in one go\b", r"straight ?away\b", r"in a single (?:step|go|pass)\b",
)  # fmt: skip
STAGED = cue(r"canar(?:y|ies)\b", r"first stage\b", r"stage (?:one|1)\b", r"pilot\b", r"ring (?:0|one|zero)\b",
             r"\d(?:\.\d+)? ?% (?:of|canary|stage)", r"one (?:region|host|pod|instance|zone) (?:first|only)\b")  # fmt: skip
MANY_PLACES = cue(
    r"(?:many|most|several|nearly all|almost all) (?:of (?:the|our) )?(?:\w+ )?(?:regions|sites|locations|data ?cent(?:er|re)s|zones|countries|clusters)\b"
)
BROKEN = cue(r"no longer\b", r"(?:do|does|did) not (?:resolve|answer|respond|load|work)\b",
    r"overload\w*", r"overwhelm\w*", r"swamp\w*", r"drown\w*", r"invalid\b", r"die away\b",
    r"interrupt\w*", r"saturat\w+", r"endless\w*", r"hangs?\b", r"time(?:s|d)? out\b",
    r"cpu\b", r"memory\b", r"oom\b", r"crash\w*", r"5\d\ds?\b", r"50x\b", r"5xx\b", r"errors?\b", r"blue screens?\b", r"bsods?\b",
    r"panic\w*", r"boot loops?\b", r"reject\w*", r"drop\w*", r"refus\w+", r"unavailab\w+", r"fail\w*",
    r"down\b", r"offline\b", r"lost\b", r"unreachable\b", r"cannot\b", r"unable\b", r"stops?\b", r"stopped\b", r"dark\b",
)  # fmt: skip
SWITCH_OFF = cue(
    r"kill[- ]?switch\w*", r"terminat\w+", r"disabl\w+", r"(?:turn|switch|shut)(?:ed|s|ing)? (?:it |the \w+ )?off\b",
    r"pull(?:ed|s)? (?:the )?(?:update|rule|change|file)\b", r"revert\w*", r"roll(?:ed|s|ing)?[- ]?back\b", r"rollback\b",
    r"(?:put|set|brought|changed|switched) (?:(?:the|it|them|its|their|our) (?:\w+ ){0,2})?back\b", r"(?:previous|former|earlier|old|prior) (?:state|version|value|content|rule|setting|configuration|list|file|arrangement)s?\b", r"withdr[ae]w\w*", r"undo\w*\b", r"undid\b", r"back(?:s|ed)? (?:it |them )?out\b", r"(?:taken|removed|pulled) (?:down )?from (?:\w+ ){0,3}(?:servers?|circulation)\b", r"stopp?(?:ed|s)? (?:the )?(?:propagation|distribution|rollout)\b", r"(?:propagation|distribution|rollout) .{0,30}?(?:stopped|halted)\b", r"last[- ]known[- ]good\b",
)  # fmt: skip
SWITCH_ON = cue(r"re-?enabl\w+", r"(?:turn|switch)(?:ed|s)? (?:it |the \w+ )?(?:back )?on\b", r"re-?activat\w+",
                r"re-?introduc\w+", r"back in service with\b", r"re-?deploy\w*")  # fmt: skip
HARMLESS = cue(
    r"(?:no|nobody|no one|none of the) ?(?:user|customer|client|request|account)?s? ?(?:was|were|is|are) (?:affected|hurt|harmed|lost)\b",
    r"users? (?:notice\w*|saw|felt) nothing\b",
    r"never affected\b",
    r"no (?:user|customer|server|client|request)s? (?:notic\w+|fail\w*)\b",
)
ATTACK = cue(r"attacks?\b", r"ddos\b", r"malicious\b", r"intrusion\b", r"breach\b")

# Failing, in one word for each way of saying it.
FAIL = cue(
    r"cannot\b", r"can ?not\b", r"can'?t\b", r"unable\b", r"could not\b", r"couldn't\b", r"unreachable\b",
    r"inaccessib\w+", r"down\b", r"lost\b", r"los(?:s|es|ing) (?:of )?", r"loss of\b", r"break\w*", r"broken?\b", r"fail\w*",
    r"denied\b", r"refus\w+\b", r"nobody can\b", r"lock(?:ed|s) out\b", r"lapsed\b", r"expired\b", r"unavailab\w+", r"offline\b",
    r"not (?:be )?(?:work\w*|available|reach\w*|respon\w+|load\w*|possible|usable)\b", r"no (?:access|way in)\b", r"no longer\b",
    r"los(?:e|es|ing|t) time\b", r"neither\b", r"(?:has|have|had|with) no\b", r"no (?:\w+ )?(?:way|route|path|access)\b", r"dead\b", r"flooded\b", r"jammed\b", r"useless\b",
    r"impossible\b", r"not able\b", r"shut(?:s)? out\b", r"barred\b", r"powerless\b", r"not be (?:\w+ed)\b", r"nothing (?:left )?to \w+ (?:it )?with\b",
    r"tim(?:e|es|ed|ing)[- ]?out\b", r"impaired\b", r"blocked\b", r"gone\b", r"stuck\b", r"out of (?:action|reach|service)\b",
)  # fmt: skip

# Ways in, by what they stand on.
WAYS_IN = {
    "remote access": cue(r"remote (?:access|desktop|path|way|route|logins?|sessions?)\b", r"from afar\b", r"(?:normal|usual|preferred|custom\w+|standard|regular|ordinary) (?:\w+ )?(?:means|ways?|access|paths?|methods?|routes?|tool\w*)\b", r"remotely\b", r"primary (?:access|path)\b"),
    "vpn": cue(r"vpns?\b"),
    "bastion": cue(r"ssh\b", r"bastions?\b", r"jump[- ]?hosts?\b"),
    "management network": cue(r"management (?:network|channel|path|lan|vlan)s?\b", r"remote management\b", r"(?:network|channel|path) (?:for|of) managing\b"),
    "identity": cue(r"ssos?\b", r"idps?\b", r"identity\b", r"single sign-?on\b", r"log ?in\b", r"log(?:s|ged)? in\b", r"sign ?in\b", r"sign(?:s|ed)? in\b",
                    r"authenticat\w+", r"credentials?\b", r"active directory\b", r"mfa\b", r"passwords?\b", r"secrets? (?:store|vault)\b", r"vaults?\b"),
    "out-of-band access": cue(r"out[- ]of[- ]band\b", r"oob\b", r"console (?:servers?|network|lines?|port)s?\b", r"serial consoles?\b", r"(?:spare|emergency|back-?up) (?:access|console|network|line|login|path)s?\b", r"bmcs?\b", r"ipmi\b", r"management ports?\b", r"break-?glass\b"),
    "admin tools": cue(r"control panels?\b", r"admin\w* (?:console|panel|interface|tool\w*|page)s?\b", r"management (?:console|interface|tool\w*|plane|portal)s?\b", r"control planes?\b",
                       r"internal (?:\w+ )?(?:tool\w*|systems?|consoles?|dashboards?|services?)\b", r"(?:own|debugging|investigation|recovery|repair|operations?|diagnos\w+) tool\w*\b", r"tools (?:for|to|that|with which)\b", r"tooling\b"),
    "build and configuration tools": cue(r"ci\b", r"build systems?\b", r"(?:issue|bug|ticket)\w* trackers?\b", r"deploy\w* (?:and \w+ )?(?:tool\w*|systems?|servers?|pipelines?)\b",
                                         r"config\w* management\b", r"code (?:repositor\w+|hosting)\b"),
    "physical access": cue(r"badges?\b", r"doors?\b", r"cages?\b", r"buildings?\b", r"(?:secure|physical)[- ]access\b", r"physically\b", r"data ?cent(?:er|re) access\b"),
    "chat and paging": cue(r"chats?\b", r"slack\b", r"pag(?:er|ing)\b", r"phone bridge\b", r"e-?mails?\b", r"messenger\b", r"video calls?\b", r"(?:tele)?phone (?:bridge|lines?|system)s?\b", r"own phones\b"),
}  # fmt: skip
USERS = cue(
    r"users?\b",
    r"customers?\b",
    r"players?\b",
    r"clients?\b",
    r"merchants?\b",
    r"subscribers?\b",
    r"visitors?\b",
    r"shoppers?\b",
    r"people with\b",
)
HINDERED = cue(r"extra time\b", r"hard to\b", r"slow\w*", r"takes? (?:long|time|hours)", r"took (?:long|time|hours)", r"delay\w*", r"difficult\w*")  # fmt: skip
ON_SITE = cue(r"go(?:es)? in(?:to|side)?\b", r"with a visit\b", r"visit\w* (?:the |each |every )?(?:site|node|room|data)\w*", r"enter (?:the )?(?:building|site|data ?cent)\w*",
    r"on[- ]site\b", r"to (?:the |each )?(?:data ?cent(?:er|re)s?|sites?|machine rooms?)\b", r"in person\b", r"dispatch\w*",
    r"travel\w*", r"dr(?:ive|ove|iving) to\b", r"physically\b", r"remote hands\b", r"technicians? (?:sent|go|arriv)\w*",
    r"(?:sent|send|sends|sending) (?:\w+ )?(?:engineers?|staff|people|technicians?|a team)\b",
)  # fmt: skip
CIRCULAR = cue(
    r"depend\w* (?:up)?on (?:the )?(?:very |exactly )?(?:same|what)\b", r"need\w* .{0,60}\b(?:is|are|was|were) (?:just |exactly )?(?:what|the (?:very )?(?:one|thing|part)s?)\b",
    r"(?:live|liv|run|runn|sit|sitt|host|stand|stood|hang|resid|buil)\w* (?:up)?(?:on|in|off|behind|inside) (?:the |that )?(?:very |exactly |self-?)*(?:same|very)\b", r"needs? (?:the )?(\w+) to (?:fix|mend|repair|restore) (?:the )?\w+\b", r"circular\w*", r"chicken[- ]and[- ]egg\b", r"that too (?:needs|requires|depends)\b",
)  # fmt: skip
MENDING = cue(r"fix\w*", r"mend\w*", r"repair\w*", r"tool\w*", r"pull (?:it|them)\b", r"(?:take|roll|put) (?:it|them) back\b", r"revert\w*", r"restor\w+", r"recover\w*", r"troubleshoot\w*", r"investigat\w+", r"engineers?\b", r"responders?\b", r"operators?\b")  # fmt: skip
ONE_BY_ONE = cue(r"individually\b", r"one by one\b", r"one (?:\w+ ){1,3}after (?:the other|another)\b", r"(?:each|every) (?:\w+ ){1,3}(?:had to be|has to be|must be|needs to be|by hand|in turn|manually)\b")  # fmt: skip
GET_AT = cue(r"(?:get|got|gett|gain|obtain|win|reach)\w* (?:\w+ ){0,2}(?:hands on|into|in to|access\b|through to)\b", r"(?:get|gett|reach)\w* (?:at |to )?(?:the |each |every |our )?(?:\w+ )?(?:hosts?|machines?|servers?|nodes?|routers?|devices?|consoles?|equipment)\b")  # fmt: skip
REGAIN = cue(
    r"g[eo]t(?:s|ting)? (?:back )?in (?:at last|again|finally|through)\b",
    r"rebuil\w+",
    r"regain\w*",
    r"re-?establish\w*",
    r"restor\w+",
    r"first\b.{0,30}(?:access|tool\w*|way in)",
)
MOVED_CHAT = cue(r"(?:switch|mov)(?:ed|es|ing)? to (?:phone|whatsapp|signal|zoom|another|personal|e-?mail|text|a bridge|discord)",
                 r"(?:phone|conference) (?:bridge|call) (?:is )?(?:used|opened|set up) instead", r"(?:over|by) (?:phone|personal) (?:instead|because)?")  # fmt: skip
NETWORK = cue(r"network\w*", r"backbone\b", r"dns\b", r"bgp\b", r"rout(?:es?|ing|ers?)\b", r"identity\b", r"sso\b", r"firewall\w*", r"certificates?\b", r"links?\b", r"connectivity\b", r"vpn\b", r"active directory\b", r"authentication\b")  # fmt: skip
NAMES_GONE = cue(r"servfail\b", r"nxdomain\b", r"(?:names?|domains?|hostnames?) (?:\w+ )?(?:stop\w* resolv\w+|(?:do|does|did) not resolve|cannot be resolved)",
                 r"withdraw\w* .{0,20}(?:routes?|prefixes)", r"withdr[ae]w\w* .{0,20}(?:routes?|prefixes)", r"no longer announc\w+", r"dns .{0,20}(?:down|unreachable|gone|fails?|failing)",
                 r"routes? .{0,15}(?:gone|lost|withdrawn)")  # fmt: skip
GRADED = cue(r"gradual\w*", r"slowly\b", r"in (?:small )?(?:stages|waves|batches|steps)\b", r"ramp\w*", r"step by step\b", r"controlled (?:restart|return|power)", r"avoid (?:a )?(?:surge|overload|stampede|spike)", r"percent by percent\b")  # fmt: skip

# Data, its copies, and failing over.
DATA = cue(r"data(?:bases?| ?sets?| director\w+| volumes?)?\b", r"director(?:y|ies)\b", r"tables?\b", r"volumes?\b", r"records?\b", r"rows?\b", r"files?\b",
           r"buckets?\b", r"disks?\b", r"partitions?\b", r"(?:customer |tenant )?(?:sites|accounts|tenants)\b", r"repositor\w+", r"schemas?\b", r"objects?\b", r"production\b", r"prod\b", r"indexes\b", r"state\b", r"(?:virtual|customer|live) (?:\w+ )?(?:machines|servers|images)\b", r"images\b", r"mail(?:s|boxes)\b", r"storage\b")  # fmt: skip
DESTROY = cue(r"disappear\w*", r"vanish\w*", r"delet\w+", r"remov\w+", r"drop(?:s|ped|ping)?\b", r"wip(?:e|es|ed|ing)\b", r"truncat\w+", r"eras\w+", r"purg\w+", r"overwr\w+", r"destroy\w*", r"rm -\w+", r"format(?:s|ted)\b", r"de-?provision\w*", r"burn\w*", r"empt(?:ies|ied|ying)\b", r"corrupt\w*")  # fmt: skip
WRONG_TARGET = cue(r"by (?:mistake|accident)\b", r"accidental\w*", r"inadvertent\w*", r"mistaken\w*", r"unintention\w*", r"in error\b", r"erroneous\w*", r"credentials (?:of|for) (?:the )?(?:production|prod|live)\b", r"instead of\b", r"wrong (?:\w+ )?(?:host|server|database|environment|db|machine|cluster|volume|ids?|account|site|table|disk)s?\b",
                   r"(?:thought|think\w*|believ\w*|underst\w+|assum\w+|suppos\w+|meant) (?:that )?(?:\w+ ){1,2}(?:was|were|mov\w+|would|only)\b", r"(?:on|in|from) (?:the )?(?:primary|production|prod|live)\b.{0,30}(?:standby|secondary|staging|replica|test|app)",
                   r"(?:points?|pointed|pointing|connect\w+|logged in) (?:at|to|on) (?:the )?(?:production|prod|live|primary)\b", r"(?:takes?|taking|took|mistak\w+|mistook) .{0,20}\bfor (?:the|a|another)\b", r"(?:ids?|identifiers?) (?:of|for) (?:the )?(?:whole |entire )?(?:sites?|accounts?|tenants?)\b")  # fmt: skip
NOTICED = cue(r"(?:stopped|noticed|aborted|cancelled|interrupted|realis\w+|realiz\w+|spotted|hit ctrl).{0,30}(?:seconds?|at once|immediately|moments?|minute)\b")  # fmt: skip
COPIES = cue(r"back-?ups?\b", r"snapshots?\b", r"(?:[\w]+_)?dumps?\b", r"archives?\b", r"standby\b", r"restore points?\b", r"recovery copies\b", r"cop(?:y|ies)\b", r"binlogs?\b", r"wal\b", r"second site\b")  # fmt: skip
BAD_COPY = cue(
    r"missing\b", r"empty\b", r"gone\b", r"never (?:been )?(?:\w+ )?(?:enabled|tested|set up|run|ran|exercised|restored)\b", r"not (?:been )?(?:enabled|tested|usable|recoverable|configured|working|set up|present|there|exercised)\b",
    r"stale\b", r"corrupt\w*", r"fail(?:s|ed|ing)\b", r"unusable\b", r"destroyed\b", r"deleted\b", r"lost\b", r"incomplete\b", r"rejected\b", r"out of date\b", r"useless\b", r"damag\w+", r"broken\b", r"unreadable\b", r"holds? nothing\b", r"(?:had )?never been (?:turned|switched) on\b",
    r"could not be (?:restored|read|found)\b", r"cannot be (?:restored|read|found)\b", r"burn\w*", r"too old\b", r"do(?:es)? not exist\b", r"in the same (?:building|room|rack|region|account)\b",
)  # fmt: skip
NO_COPY = cue(r"(?:not|n't|never) (?:hold|held|keep|kept|have|had|possess|make|made|take|taken|took) (?:\w+ ){0,2}(?:back-?ups?|archives?|snapshots?|dumps?|cop(?:y|ies))\b", r"(?:delet\w+|drop\w*|truncat\w+|corrupt\w+|inconsistenc\w+|damage) .{0,30}(?:replicat|copied|mirror|synchroni|carried over)\w*", r"(?:same|too is|also) (?:corrupt|damage|delet)\w*", r"without (?:\w+ing )?(?:an? |any )?(?:\w+ )?(?:back-?ups?|snapshots?|dumps?|copy|copies)\b", r"(?:there (?:is|was|were|are) )?no (?:\w+ ){0,2}(?:back-?ups?|archives?|snapshots?|dumps?|cop(?:y|ies))\b")  # fmt: skip
UNDELIVERED = cue(r"(?:mails?|alerts?|notifications?|warnings?|pages?|messages?) .{0,40}(?:rejected|undelivered|not delivered|never (?:arriv|reach|deliver)\w*|suppressed|ignored|bounced|went nowhere)", r"(?:no|nobody) .{0,15}(?:alert|alarm|monitor)\w* (?:on|of|for) (?:the )?back-?ups?")  # fmt: skip
OLD = cue(r"(?:\d+|one|two|three|four|five|six|eight|ten|twelve|several)[- ]?(?:hours?|h|days?|weeks?)[- ]old\b", r"(?:hours?|days?|weeks?|h) (?:of (?:data )?)?(?:loss|lost)\b", r"(?:hours?|days?|weeks?|h) old\b",
          r"from (?:yesterday|the (?:day|night) before|last (?:night|week))\b", r"(?:data|writes|changes|records|orders) (?:\w+ ){0,3}(?:are|is|was|were) (?:\w+ )?lost\b", r"los(?:t|es?|ing) (?:\w+ ){0,4}(?:data|writes|records)\b", r"data (?:\w+ )?lost\b", r"data loss\b", r"permanent\w* lost\b", r"(?:un|ir)recover\w+", r"irretriev\w+", r"beyond (?:recovery|repair|rescue)\b", r"(?:cannot|could not|can never|never) be (?:recovered|retrieved|brought back)\b", r"lost for (?:good|ever)\b", r"restor\w+ (?:is|was|proved) impossible\b")  # fmt: skip
RESTORE = cue(r"import(?:s|ed|ing)?\b", r"(?:bring|brings|brought|get|got) back\b", r"pieced together\b", r"restor\w+", r"rebuil\w+", r"recover\w* from\b", r"copy from\b", r"copying\b", r"reseed\w*", r"re-?creat\w+", r"re-?image\w*")  # fmt: skip
RESTORE_FAILS = cue(
    r"(?:restor\w+|recover\w*|import\w*|rebuil\w+)\b.{0,60}\b(?:fails?|failed|does not work|did not work|unsuccessful\w*)\b",
    r"(?:fails?|failed|unable|cannot|could not) (?:to )?(?:be )?restor\w+",
)
SLOW = cue(r"(?:after|for) (?:many )?(?:hours|days|weeks)\b", r"(?:days|weeks|hours) (?:go|went|pass\w*) by\b", r"(?:days|weeks|hours) later\b", r"most of (?:a|the) (?:day|night|week|time)\b", r"(?:takes?|took|taking|about|for|needs?|lasts?|over) .{0,20}?(?:hours?|days?|weeks?|\d ?h)\b", r"slow\w*", r"throttl\w+", r"longer than\b", r"[mgk]bps\b", r"hours?\b.{0,12}(?:restore|copy|transfer)", r"weeks\b")  # fmt: skip
TAKE_COPY = cue(r"(?:takes?|makes?|creates?) .{0,40}(?:snapshot|back-?up|dump|copy)\b", r"(?:snapshot|back-?up|dump|copy) .{0,25}(?:taken|made|created)\b")  # fmt: skip
PROMOTE = cue(r"(?:decid|deciding|settl|agree)\w* .{0,30}(?:who|which) .{0,15}(?:leads?|boss|primary|master|leader|charge)\b", r"who'?s (?:\w+ )?(?:boss|primary|master|leader|in charge)\b", r"mov(?:es?|ed|ing) over\b", r"mak\w* (?:itself|themselves) (?:active|primary|leader|master)\b", r"promot\w+", r"(?:makes?|made|making) .{0,60}\b(?:leaders?|primar(?:y|ies)|masters?)\b", r"(?:active|primary|leader|leading|master) role\b.{0,20}\b(?:mov|giv|pass|hand|chang)\w*", r"elect(?:s|ed|ion)\b", r"fail(?:s|ed|ing)?[- ]?over\b", r"switch(?:es|ed)? over\b", r"takes? over\b", r"took over\b",
              r"new (?:primary|primaries|leaders?|masters?)\b", r"bec(?:omes?|ame) (?:the )?(?:primary|leader|master|active)\b", r"(?:change|switch|take|cut)-?overs?\b", r"(?:chang|switch|cutt)(?:es|ed|ing) over\b")  # fmt: skip
SALES = cue(r"(?:weekend|sales?|marketing|price|special|seasonal|holiday|christmas|advent|easter|summer|winter|spring|product|retail|in-?store|weekly|daily|black friday) promotions?\b", r"promotions? (?:file|engine|price|offer|campaign|code|line|calendar|week|list|banner)s?\b", r"promotional\b")  # fmt: skip
PLANNED = cue(r"planned\b", r"scheduled\b", r"rehears\w+", r"drills?\b", r"as a test\b", r"exercise\b", r"by hand\b", r"manual\w*", r"maintenance window\b", r"plan to\b", r"plan:", r"as planned\b")  # fmt: skip
NO_FAILOVER = cue(r"(?:did|does|do|could|would) not (?:promote|elect|(?:fail|take|switch|move|cut) ?over)\b", r"(?:fail-?over|promotion|election) (?:did not|does not|never|fails?|failed|is refused|was refused|refused|stuck|blocked)\b",
                  r"(?:fail|change|switch|take|cut|hand)-?overs?\b.{0,80}?\b(?:was|were|is|are|could) not (?:be )?(?:carried out|performed|executed|completed|done|initiated|possible|triggered|made)\b",
                  r"(?:stand-?by|back-?up|secondary|reserve|redundant|spare|second|failover) (?:\w+ ){0,3}?(?:did not|didn't|does not|would not|failed to|could not|couldn't|was unable to|were unable to) (?:activate|kick in|take|assume|engage|come|start|pick up|step in|respond|switch|cut in)\w*",
                  r"(?:meant|supposed|due|expected|designed|intended|should|ought) (?:\w+ ){0,3}(?:fail|switch|take|change|cut) ?over\b.{0,50}?\b(?:didn't|did not|never did|does not|doesn't)\b",
                  r"no (?:new )?(?:primary|leader|master) (?:is |was |could be |can be )?(?:promoted|elected|chosen)\b", r"(?:refus\w+|unable|cannot|could not) (?:to )?(?:promote|elect|fail ?over)\b")  # fmt: skip
DIVERGED = cue(r"(?:both|two) (?:\w+ ){0,5}(?:active|primary|primaries|masters?|leaders?)\b", r"which (?:\w+ ){1,3}(?:had|has|holds?|held) the (?:latest|last|newest) (?:writes|data|copy)\b", r"never (?:crossed|arrived|reached|made it)\b", r"no (?:longer )?safe(?: way back)?\b", r"(?:rows|data|records|copies|sides) differ\w*", r"differ\w* between (?:the )?(?:nodes|sites|sides|copies)", r"unreplicated\b", r"(?:not|never) (?:yet )?replicated\b", r"diverg\w+", r"split[- ]brain\b", r"both (?:sides|sites|coasts|regions|data ?cent\w+|primaries|nodes|halves)\b.{0,40}(?:writ\w+|accept\w*|primary|primaries)",
               r"(?:two|multiple) (?:primaries|leaders|masters)\b", r"conflicting writes\b", r"writes .{0,40}(?:the other|each other|other side|lacks?|discarded|stranded)\b", r"inconsistent\b")  # fmt: skip
OLD_SIDE = cue(r"(?:old|former|failed|faulty|malfunctioning|primary|first) (?:\w+ ){0,2}(?:primary|master|leader|site|system|side|node|server|switch|device|data ?cent(?:er|re))\b", r"(?:system|site|node|server|side|device) at the primary\b", r"primary\b")  # fmt: skip
OUT_OF_THE_WAY = cue(r"isolat\w+", r"deactivat\w+", r"fenc\w+", r"(?:cut|switch|shut|turn|power)(?:s|ed|ting|ching|ning)? (?:\w+ ){0,2}(?:off|down)\b", r"tak\w+ (?:\w+ ){0,2}out\b", r"remov\w+", r"disconnect\w*", r"unplug\w*")  # fmt: skip
INTEGRITY = cue(r"(?:rather|sooner|better) (?:\w+ ){0,5}than (?:\w+ ){0,3}(?:risk|wrong|lost|lose|restart|resum\w+|re-?open|corrupt\w*)", r"until .{0,30}(?:known|clear|sure|certain|checked) .{0,60}(?:writes|data|copy|latest)\b", r"(?:consistency|consistent|correctness) (?:before|over|first)\b", r"(?:data|writes|orders) consistent\b", r"no (?:\w+ )?(?:data|writes|orders|records) (?:is|are|be|gets?) lost\b", r"nothing (?:more )?is lost\b", r"integrity\b", r"rather than (?:discard|los|drop)\w*", r"consistency over\b", r"fail(?:ing)? forward\b", r"(?:protect|preserve|keep|save|avoid losing|not lose|safety of) .{0,25}(?:data|writes|orders)\b",
                r"accept\w* .{0,30}(?:unusable|downtime|outage|longer|degraded|unavailab\w+)\b")  # fmt: skip
REBUILT = cue(
    r"(?:replicas?|standbys?|followers?|secondar(?:y|ies)|copies|mirrors?) (?:\w+ ){0,4}(?:rebuilt|re-?seeded|re-?synchroni[sz]ed|built anew)\b"
)
TOPOLOGY = cue(r"(?:set|list|membership) of (?:\w+ ){0,2}(?:servers|nodes|members|primaries|leaders)\b", r"topolog(?:y|ies)\b", r"replication (?:graph|tree|layout)\b", r"cluster (?:state|view|membership)\b", r"primaries\b")  # fmt: skip
UNEXPECTED = cue(r"unexpected\w*", r"not as expected\b", r"shows? only\b", r"surpris\w+", r"wrong\b", r"not what\b")  # fmt: skip
PAUSE = cue(r"h(?:e|o)ld(?:s|ing)? back\b", r"on hold\b", r"taken? (?:down|offline) on purpose\b", r"paus\w+", r"suspend\w*", r"halt\w*", r"freez\w+", r"frozen\b", r"read[- ]only\b", r"stopp?(?:ed|s) (?:the )?(?:jobs|writers|workers|webhooks|queues)\b")  # fmt: skip
WORKLOAD = cue(r"writ\w+", r"jobs?\b", r"webhooks?\b", r"queues?\b", r"builds?\b", r"deliver\w+", r"workers?\b", r"publish\w*", r"processing\b", r"orders\b", r"pages\b", r"applications?\b", r"traffic\b")  # fmt: skip
ONCE_MORE = cue(r"again\b", r"once more\b", r"(?:second|third|another) (?:\w+ )?(?:time|outage|wave|failure|flap|interruption)\b", r"relaps\w+", r"recurr?\w+", r"worse\b")  # fmt: skip
PARTITION = cue(r"network (?:freez\w*|froze\w*|hangs?|stalls?)\b", r"(?:drops?|dropp\w+|los\w+|forwards? only) .{0,25}packets\b", r"packets\b.{0,15}(?:lost|dropped)\b", r"heart-?beats?\b.{0,40}(?:run out|lost|miss\w*|time out|stop\w*)\b", r"cut off\b", r"split in two\b", r"partition\w*", r"connectivity\b", r"network (?:blip|cut|loss|fault|maintenance|flap\w*)\b", r"links? (?:down|lost|flap\w*|cut)\b", r"packet loss\b", r"optical\b", r"cuts? .{0,25}(?:network|connect\w+|link)", r"isolat\w+")  # fmt: skip

FROM_NOW_ON = cue(
    r"from now on\b", r"will (?:now |soon )?(?:be\b|\w+)", r"in (?:the )?future\b", r"since then\b", r"(?:is|are|has|have|now) now\b", r"now (?:has|have|is|are|runs?|needs?|refuses?|asks?|gets?)\b", r"next (?:term|time|quarter|year|sprint)\b", r"(?:as a |in the )?follow-?up\b", r"(?:we|they) (?:are|plan|intend|want) .{0,12}(?:to|removing|adding|moving|building)\b",
)  # fmt: skip

# Seeing.
SIGHT = cue(
    r"(?:monitor\w*|dashboards?|graphs?|metrics|telemetry|probes?|alerts?)(?: \w+)? (?:shows?|showed|reports?|reported|sees?|saw|notic\w+|says?|pages?|paged)\b(?! (?:nothing|no|only green))"
)
TELEMETRY = cue(r"monitor\w*", r"dashboards?\b", r"metrics\b", r"logs\b", r"log (?:lines?|search|store|platform)\b", r"logging\b", r"telemetry\b", r"trac(?:es|ing)\b", r"alert(?:s|ing)?\b", r"observability\b", r"graphs?\b", r"error tracking\b")  # fmt: skip
ABSENT = cue(r"silent\b", r"blank\b", r"empty\b", r"stale\b", r"missing\b", r"no data\b", r"nodata\b", r"dark\b", r"lost\b", r"down\b", r"unavailab\w+", r"gone\b", r"unreachable\b", r"impaired\b", r"show\w* nothing\b", r"says? nothing\b",
             r"not (?:fir\w+|work\w*|available|load\w*|sent)\b", r"green\b", r"stop\w* (?:report|updat|arriv)\w*", r"frozen\b", r"offline\b", r"fails?\b", r"failed\b")  # fmt: skip
NO_SIGNAL = cue(r"no (?:\w+ )?(?:alerts?|alarms?|metrics|logs?|telemetry|traces?|dashboards?|monitoring|visibility|error tracking|observability)\b", r"without (?:any )?(?:alerts?|metrics|logs?|telemetry|visibility|monitoring)\b")  # fmt: skip
BLIND = cue(r"blind\w*", r"without knowing\b", r"without (?:any )?(?:data|visibility|telemetry|metrics|logs)\b", r"no idea\b", r"no clue\b", r"not know\w* (?:what|which|why|where)\b", r"nobody knows\b", r"(?:cannot|can'?t|could not) see\b", r"in the dark\b", r"(?:cause|reason|mechanism|origin|nature|fault|why)\b.{0,40}?\b(?:unknown|unclear|(?:not|never|n't) (?:\w+ ){0,2}(?:known|understood|clear|established|found))\b", r"(?:work|find|figure) out (?:why|what|how|the \w+) (?:later|afterward)\w*", r"guess\w*", r"trial and error\b")  # fmt: skip
RESTART = cue(
    r"restart\w*",
    r"reboot\w*",
    r"bounc\w+",
    r"power[- ]?cycl\w+",
    r"re-?start(?:s|ed)? everything\b",
    r"start\w* (?:\w+ )?(?:afresh|anew)\b",
    r"(?:switch|turn|power)\w* (?:\w+ ){0,4}?off and (?:back )?on\b",
)
BRING_UP = cue(
    r"restart\w*", r"reboot\w*", r"boot(?:s|ed|ing)?\b", r"power[- ]?cycl\w+", r"start(?:s|ed|ing)?\b", r"recover\w*", r"br(?:ing|ings|inging|ought) .{0,25}up\b", r"com(?:e|es|ing) up\b",
)  # fmt: skip
WHOLE = cue(
    r"full\w*", r"all\b", r"whole\b", r"entire\b", r"every\w*", r"complete\w*", r"platform\b"
)
FOUND_OUT = cue(r"(?:work|figur|puzzl)\w* out (?:that|what|it)\b", r"track\w* (?:it )?down\b", r"to the bottom of\b", r"identif\w+", r"root cause\b", r"cause (?:is |was )?(?:found|understood|known|established|confirmed|identified|clear)\b", r"traced (?:it |back )?to\b", r"diagnos\w+", r"pinpoint\w*",
                r"(?:is|was|are|were) found (?:to be|in|that)\b", r"at fault\b", r"to blame\b", r"what (?:broke|differs|set) (?:it|from|off)\b", r"(?:establish|conclud|determin|confirm|discover|realis|realiz)\w* (?:that|the|a|it)\b", r"isolat\w+ (?:the|it|to)\b", r"found (?:the|that|a)\b", r"narrowed\b", r"understood\b", r"confirmed\b", r"turns? out\b", r"points? to\b")  # fmt: skip
STATUS_PAGE = cue(r"status (?:page|dashboard|site|board)s?\b", r"(?:site|service|individual service|per-service) status\b", r"public (?:status|updates?)\b", r"health dashboard\b", r"statuspage\b")  # fmt: skip
PUBLISHING = cue(r"public (?:documents?|notes)\b", r"live[- ]?stream\w*", r"status (?:page|dashboard|site|board|updates?)s?\b", r"per-service status\b", r"blog\w*", r"announcements?\b", r"public updates?\b", r"customer (?:updates?|communication\w*)\b", r"contact\w* (?:\w+ ){0,2}customers?\b", r"support (?:portal|site|tickets?)\b", r"health dashboard\b")  # fmt: skip
DATA_LOSS = cue(
    r"data loss\b",
    r"(?:data|writes|records|changes|files|contacts) (?:\w+ ){0,4}(?:lost|at risk)\b",
    r"los(?:t|es?|ing) (?:\w+ ){0,3}(?:data|writes|records)\b",
    r"nothing (?:\w+ )?lost\b",
    r"data (?:are|is|was|were) (?:\w+ )?gone\b",
)
ESTIMATE = cue(
    r"estimat\w+",
    r"etas?\b",
    r"(?:promis|predict|forecast)\w*",
    r"expected (?:to be )?(?:back|done|fixed|restored|over)\b",
)
HELD_BACK = cue(r"cannot\b", r"can ?not\b", r"could not\b", r"unable\b", r"delay\w*", r"depend\w*", r"builds? on\b", r"not (?:be )?(?:updat\w+|publish\w*|reach\w*)\b", r"down\b", r"unavailab\w+", r"fail\w*", r"late\b", r"stands on\b", r"stale\b", r"green\b")  # fmt: skip
INSTEAD = cue(
    r"twitter\b", r"social media\b", r"tweet\w*", r"banner\b", r"facebook page\b", r"mastodon\b"
)
DEPENDENTS = cue(r"(?:fail|failed|down|stop\w*|gone)\b.{0,20}\b(?:along )?with (?:it|them)\b", r"everything (?:\w+ ){0,6}(?:there|on (?:it|top))\b.{0,10}(?:fail|down|stop)\w*", r"dependents?\b", r"depend(?:s|ed|ing)? on (?:it|them)\b", r"(?:services|products|features|subsystems?|systems) .{0,40}(?:too|also|as well)\b", r"(?:fail|failed|down|affected|impaired)\b.{0,10}\b(?:too|also|as well)\b", r"other services\b", r"unrelated services\b", r"several services\b", r"subsystems?\b")  # fmt: skip
LISTED = cue(
    r"\w+(?: \w+){0,2}, (?:\w+(?: \w+){0,2}, )*\w+(?: \w+){0,2},? and \w+(?: \w+){0,3} (?:fail\w*|(?:go|goes|went|are|is|were) (?:\w+ )?(?:down|off|offline|gone|unreachable|unavailable)|stops?|stopped)\b"
)
ORDERED = cue(r"only (?:start|begin|recover|come)\w* (?:once|after|when)\b", r"(?:once|after|when) .{0,30}(?:works?|worked|up|recovered|back|healthy)\b", r"(?:waits?|waited|depends?|depended) (?:on|for) .{0,30}(?:first|recover\w*)?", r"sequential\w*")  # fmt: skip
PARTLY = cue(r"partial\w*", r"in part\b", r"part of\b", r"not all\b", r"majority\b", r"almost\b", r"degraded\b", r"begins? (?:to|serving)\b", r"starts? (?:to|serving)\b", r"enough .{0,20}to begin\b", r"several\b", r"some\b", r"first\b", r"read[- ]only\b", r"still\b", r"most\b", r"resum\w+", r"begins?\b", r"improv\w+", r"without \w+", r"\d{1,2} ?% of\b", r"half\b", r"kept red\b")  # fmt: skip
LONG_RESTART = cue(r"longer\b.{0,25}\bthan (?:planned|expected|thought|anybody|usual|stated)\b", r"(?:for the )?first time in (?:many )?years\b", r"on and on\b", r"longer than\b", r"for (?:many )?(?:years|months)\b", r"never (?:been )?(?:\w+ )?restarted\b", r"cold (?:start|restart|boot|cache\w*)\b", r"(?:must|had to|have to|needs?) .{0,15}(?:full\w*|complete\w*) restart\w*", r"full restart\b", r"must be fully\b", r"start\w* from (?:scratch|cold)\b")  # fmt: skip
HERD = cue(r"thundering herd\b", r"retry storms?\b", r"caches? (?:were |was |are |is )?(?:cold|empty|at risk)\b", r"cold cache\w*", r"stampede\b", r"second wave\b", r"overload\w* (?:again|on return)", r"power draw\b")  # fmt: skip
LIMIT = cue(r"reach\w* (?:the )?(?:largest|highest|maximum|end of)\b", r"(?:integer|xid|counter|id|sequence|thread|file[- ]descriptor|process|connection|inode|quota|licen[cs]e|memory|operating system)\w* .{0,20}(?:overflow|exhaust\w*|wraparound|exceeded|ran out|maximum)", r"certificates? .{0,15}expir\w+", r"expired certificate", r"leap second\b", r"(?:limit|quota) .{0,20}(?:reached|exceeded|hit|exhausted)", r"ran out of (?:ids|threads|connections|memory|inodes|file)")  # fmt: skip
SUSTAINED = cue(r"keeps? .{0,40}\bgoing\b", r"retr(?:y|ies) .{0,30}(?:overload|storm|keep|sustain|amplif)\w*", r"retry storms?\b", r"(?:stays?|stayed|remains?|remained|keeps?) (?:overloaded|saturated|down) (?:although|after|even)", r"autoscal\w+ .{0,25}(?:worse|down|shrank|removed)", r"cache miss\w*", r"feedback loop\b", r"metastable\b", r"congestive collapse\b")  # fmt: skip
UPSTREAM = cue(r"(?:cloud |hosting |network |dns |transit |upstream |our )?provider(?:'s)?\b", r"upstream\b", r"route leaks?\b", r"(?:power|electric\w*) (?:utility|grid|supplier)\b", r"carrier\b", r"third[- ]party\b", r"vendor(?:'s)?\b", r"\bisp\b")  # fmt: skip
REPEATED = cue(r"(?:same|similar) (?:failure|incident|problem|outage|bug|error)\b.{0,30}(?:before|earlier|last|previous|again|weeks?|months?)", r"again\b.{0,20}(?:fail|break|broke|same)", r"re-?introduc\w+ (?:the )?(?:bug|defect|fault|problem)", r"open action (?:item )?(?:from|of)", r"(?:fix|patch) (?:was |had been |is )?(?:reverted|rolled back)", r"recurr\w+", r"happened (?:before|again)")  # fmt: skip
INTERFERED = cue(r"(?:reverted|overwritten|undone|undid) by (?:another|a second|a different)", r"two (?:people|engineers|teams|responders) .{0,30}(?:same|at once|both)", r"without (?:a )?hand-?(?:over|off)\b", r"hand-?(?:over|off) (?:was |is )?missing", r"conflicting (?:changes|fixes|actions)\b", r"(?:working|acted) (?:at )?cross[- ]purposes")  # fmt: skip
