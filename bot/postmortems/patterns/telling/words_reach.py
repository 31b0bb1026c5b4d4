"""How a sentence says that something reached more than was meant, or everything at once.

Classes of statement over many tools: a selector that was not given, a quantity beside what was done
to it, what was meant beside what was reached, one save that went to all. Never evidence alone.
"""

import re

from bot.postmortems.patterns.sentence import cue

THINGS = (
    r"(?:servers?|hosts?|nodes?|machines?|instances?|vms?|virtual machines?|containers?|pods?|namespaces?|workers?|brokers?|"
    r"workstations?|laptops?|desktops?|pcs?|computers?|devices?|terminals?|tills?|kiosks?|phones?|handsets?|meters?|modems?|"
    r"routers?|switches|links?|ports?|circuits?|lines|services|cells?|racks?|halls?|feeders?|clusters?|sites?|stores?|shops?|branches|offices?|regions?|zones?|"
    r"jobs?|queues?|tasks?|batches|customers|orders|messages|addresses|prices|invoices|entries|indices|sessions|policies|databases?|tables?|volumes?|disks?|buckets?|records?|rows?|files?|stacks?|resources?|"
    r"environments?|tenants?|accounts?|workspaces?|projects?|repositor(?:y|ies)|users?|mailboxes|subscriptions?|certificates?|keys|"
    r"(?:machine |whole |entire )?(?:fleet|estate|inventory|park|domain|organi[sz]ation|platform|network|data ?cent(?:er|re)s?))\b"
)
_MANY = (
    r"(?:all|every(?: single)?|each|both|the (?:whole|entire|complete|full)|(?:nearly|almost|practically) (?:all|every)|"
    r"dozens|hundreds|thousands|tens of thousands|(?:\d{1,3}[ ,.])?\d{2,}(?:[,.]\d+)?(?: ?k\b)?(?: (?:of|out of) (?:the |our |its )?\d[\d,.]*)?)"
)
EVERYTHING = cue(
    rf"{_MANY} (?:of )?(?:the |its |our |their )?(?:[\w'&,-]+ ){{0,4}}?{THINGS}",
    r"everything\b", r"(?:the |its |our )?(?:whole|entire|complete|full) (?:\w+ ){0,2}(?:inventory|fleet|estate|list|set|night|stack|environment|farm|pool|cluster)\b",
)  # fmt: skip

# What selects, and that it was not there or said something else.
SELECTOR = cue(
    r"(?:--?)?limit\b", r"filters?\b", r"selectors?\b", r"selection\b", r"tags?\b", r"labels?\b", r"scopes?\b", r"where[- ](?:clause|condition|line|part)\b",
    r"arguments?\b", r"args?\b", r"parameters?\b", r"params?\b", r"options?\b", r"(?:line|cli|script|[-/]\w+\W?) switch\b", r"variables?\b", r"env(?:ironment)? vars?\b",
    r"targets?\b", r"(?:host|device|server|machine|node|computer) ?(?:group|list|range|pattern|name)s?\b", r"ranges?\b", r"wild-?cards?\b", r"asterisks?\b", r"globs?\b",
    r"patterns?\b", r"expressions?\b", r"regex\w*", r"collections?\b", r"organi[sz]ational unit\b", r"ous?\b", r"namespaces?\b", r"contexts?\b",
    r"list of\b", r"quer(?:y|ies)\b", r"prefix(?:es)?\b", r"masks?\b", r"identifiers?\b", r"ids?\b", r"inputs?\b", r"workspaces?\b", r"state file\b", r"conditions?\b", r"path\b", r"quot(?:es|ing|ation marks?)\b", r"check-?box(?:es)?\b",
    r"(?:site|host|group|name|target|region|branch|tenant) field\b", r"columns?\b", r"header\b", r"template\b", r"units?\b", r"date\b", r"cut-?off\b", r"digits?\b", r"zeros?\b",
)  # fmt: skip
NOT_GIVEN = cue(
    r"left (?:off|out|empty|blank|unset|open|away)\b", r"omit\w*", r"forg[eo]t\w*", r"missing\b", r"missed\b", r"empty\b", r"blank\b", r"unset\b", r"undefined\b", r"null\b", r"absent\b",
    r"left (?:on|at|as) \W?(?:all|every|default|root|any|\*)", r"(?:not|n't|never) (?:selected|marked|highlighted|included|copied|ticked|typed)\b",
    r"(?:is|was|were|are|been|got) (?:not|never) (?:\w+ )?(?:set|given|passed|filled|supplied|quoted|specified|applied|restricted|narrowed|there|entered|defined|exported)\b",
    r"(?:read|taken|interpreted|treated|understood|parsed) as (?:the|an?|if)\b", r"did(?: not|n't) (?:get )?(?:set|given|passed|match(?:ed)?|restrict\w*|exist|contain)\b", r"without (?:an? |any |the |its )?(?:\w+ )?(?:limit|filter|selector|tag|label|scope|where|condition|restriction|argument|namespace|target|host)\b",
    r"no (?:\w+ )?(?:limit|filter|selector|tag|label|scope|where|condition|restriction|argument|namespace|target)\b",
    r"wrong\w*", r"incorrect\w*", r"mis-?typ(?:e|es|ed|ing)\b", r"mis-?read\w*", r"fat-?finger\w*", r"mis-?spel\w+", r"typed? wrong\b", r"typos?\b", r"transposed\b", r"swapped\b", r"stray\b", r"extra\b", r"one (?:digit|character|letter|zero|line) (?:too|more|less|off)\b",
    r"too (?:broad|wide|general|generous|loose|greedy|short)\b", r"(?:match|cover|select|hit|catch|caught|includ)\w* (?:on )?(?:everything|all|every|each|far more|much more|the (?:whole|entire|complete))\b",
    r"(?:resolv|expand|evaluat|default|translat|interpret|fell|falls?|turn|treat|mean|meant|read|t[ao]k)\w*(?: (?:it|them|that|this))?(?: back)?(?: to| as| into| for)? (?:all|every|everything|\"?\*\"?|the (?:whole|entire|complete|full|root|parent))\b",
    r"(?:is|was|were|are|been|got) (?:chosen|picked|selected|ticked|taken|used|typed|entered|pasted)\b.{0,40}\b(?:instead|in place)\b", r"(?:instead|in place) of\b", r"where .{0,40}should have\b",
)  # fmt: skip
ALL_CHOSEN = cue(
    r"(?:takes?|took|taken|reads?) (?:it|them|that|this|the \w+) (?:for|as|to mean) (?:all|every\w*|the (?:whole|entire))\b", r"by which (?:\w+ ){1,3}meant\b",
    r"where (?:the |an? )?\w+ (?:wanted|expected|needed|asked for|expects|wants|needs)\b",
    r"(?:resolv|expand|translat|interpret|read|treat|t[ao]k)\w* (?:it|them|that|this|(?:the|its|their|an?|every) [\w'-]+)(?: \w+)? (?:to|as|for|into) (?:all|every\w*|the (?:whole|entire|complete|full))\b", r"(?:which|that) (?:marks|marked|ticks|ticked|selects|selected|picks|picked) (?:all|every)\b",
    r"(?:asterisk|wild-?card|star|all|everything|every \w+) as (?:the |its )?(?:target|argument|filter|pattern|host|scope|selector|group)\b", r"(?:target|limit|host|scope|filter|pattern|selector)s? (?:=|was|is|set to|of|being) ?\W?(?:\*|all|everything|every)", r"(?:cover|took|takes|caught|match|includ|swept|sweep)\w* (?:in |up )?(?:all|every|everything|the (?:whole|entire|complete|full))\b",  # the choice itself was everything
    r"(?:all|every|everything|root|global|default|production|prod|live)\b.{0,40}?\b(?:was|were|got|had been|is|are) (?:chosen|picked|selected|ticked|targeted)\b",
    r"(?:chose|picked|selected|ticked|targeted|chooses|selects|targets|picks)\b.{0,30}?\b(?:all|every|everything|root|the (?:whole|entire|complete|parent))\b",
    r"(?:works?|worked|went|goes|ran|runs?|loop(?:s|ed)?|iterat\w+|marche[ds]) (?:its way )?(?:through|over|across|against) (?:all|every|everything|the (?:whole|entire|complete|full))\b",
    r"(?:hit|hits|touch\w*|affect\w*|reach\w*|cover\w*) (?:all|every|everything|the (?:whole|entire|complete|full)) (?:\w+ ){0,3}(?:instead|not just|not only|rather)\b",
    r"(?:not|n't) (?:just|only|merely)\b.{0,60}\bbut\b", r"(?:far|much|many|way) (?:more|beyond|wider|larger|bigger)\b.{0,40}\b(?:than|what)\b",
    r"(?:broader|wider|larger|bigger|further|more) .{0,40}?\bthan (?:was |were |it |they |he |she |we |had )*(?:\w+ )?(?:intended|meant|planned|expected|wanted|requested|supposed|asked|needed|thought)\b",
)  # fmt: skip

# What was meant, as a small thing; and what was done to many.
DONE_TO = cue(
    r"re-?boot\w*", r"re-?start\w*", r"power(?:s|ed)? (?:off|down)\b", r"shut(?:s|ting)? ?down\b", r"(?:went|go|goes|going|taken|took|switched|turned) (?:off|down|offline|dark)\b", r"terminat\w+", r"destroy\w*", r"delet\w+", r"remov\w+", r"purg\w+", r"wip(?:e|es|ed|ing)\b", r"eras\w+", r"format(?:s|ted|ting)?\b",
    r"re-?imag\w+", r"re-?install\w*", r"cancel\w*", r"kill\w*", r"evict\w*", r"drain\w*", r"disabl\w+", r"suspend\w*", r"lock(?:s|ed)? out\b", r"log(?:s|ged)? (?:off|out)\b", r"disconnect\w*", r"detach\w*", r"de-?register\w*", r"stopp?(?:s|ed|ing)?\b", r"scaled? (?:to|down)\b", r"overwrit\w+", r"dropp?(?:s|ed|ing)?\b", r"reset\w*", r"revok\w+", r"de-?activat\w+", r"disappear\w*", r"vanish\w*", r"gone\b", r"los(?:t|e|es) power\b", r"expir\w+", r"now (?:have|has|carry|show)\b", r"set to\b", r"unload\w*", r"flush\w*", r"upgrad\w+", r"wip\w+",
)  # fmt: skip
TOOL = cue(  # what one sets something off with
    r"ansible\b", r"terraform\b", r"puppet\b", r"chef\b", r"salt\b", r"kubectl\b", r"helm\b", r"powershell\b", r"bash\b", r"sql\b", r"sccm\b", r"intune\b", r"jamf\b", r"rundeck\b", r"awx\b", r"cli\b", r"jcl\b", r"rexx\b", r"run-?books?\b", r"play-?books?\b", r"one-?liner\b", r"ad[- ]hoc\b", r"commands?\b", r"scripts?\b", r"(?:bulk|admin|import|upload|mass|batch) (?:tool|upload|job|edit|update|operation|action|import)s?\b", r"task sequence\b", r"dialog(?:ue)?s?\b", r"prompt\b", r"(?:clean-?up|house-?keeping|maintenance|purge|tidy\w*|retention|migration|decommission\w*|batch|background) (?:job|script|task|tool|run|routine|pipeline|program\w*)s?\b", r"(?:apply|deploy|destroy|delete|purge|drop|update|patch|shutdown|reload|reboot|power) (?:command|statement|job|script|task|request)\b",
)  # fmt: skip
HANDS = cue(r"(?:chosen|picked|selected|ticked|typed|entered|pasted|keyed|clicked|pressed|mistyped|misread|queued|confirmed)\b", r"(?:chooses|picks|selects|ticks|types|enters|pastes|keys|clicks|presses|mistypes|misreads|queues|confirms|hits (?:enter|return|apply|ok|yes))\b")  # fmt: skip
SETS_OFF = cue(r"(?:runs?|ran|pass(?:es|ed)|throws|threw|opens|pulls|trips|uploads|uploaded|loads|imports|sends|start(?:s|ed)|launch\w*|fire[sd]|kick(?:s|ed)? off|execut\w+|issu\w+|submit\w*|invok\w+|trigger(?:s|ed)|appl(?:y|ies|ied)|deploys?|deployed)\b")  # fmt: skip

# One save, one commit: to all, at once, untried.
CONTENT_MORE = cue(
    r"(?:schedule|firmware|map|language|calendar|track|route|time ?table|ota|over[- ]the[- ]air) (?:updates?|data|packages?|bundles?)\b",
    r"(?:new|latest|updated|newest) (?:driver|firmware|agent|engine|plug-?in|scanner|signatures?|definitions?)\b",
    r"gpos?\b", r"group polic(?:y|ies)\b", r"toggles?\b", r"experiments?\b", r"switch(?:es)? in the\b", r"thresholds?\b", r"rate limits?\b", r"white-?lists?\b", r"profiles?\b", r"manifests?\b", r"(?:price|route|policy|prefix|access|tax|device|host|mapping) (?:lists?|maps?|tables?|files?)\b",
    r"zone files?\b", r"zones?\b", r"translations?\b", r"feeds?\b", r"catalog(?:ue)?s?\b", r"(?:agent|sensor|client|plug-?in|driver|engine|firmware|app)s? (?:version|update|release|upgrade|build)s?\b", r"updates? (?:of|for|to) the (?:\w+ )?(?:agent|sensor|client|driver|engine)\b", r"trust stores?\b", r"root certs?\b", r"json\b", r"yaml\b", r"xml\b", r"features?\b",
    r"(?:default|timeout|ttl|encoding|cache|log|header|cookie|cipher|tls) (?:value|level|setting|duration|suite|version|time)s?\b", r"scripts? tags?\b", r"snippets?\b", r"tag manager\b", r"pac files?\b", r"(?:promotions?|promo|offers?|discount|voucher|coupon|menu|timetable|holiday|calendar|article|item|assortment|master|reference|lookup|language|loyalty|label|layout|playlist|recipe|form|parameter|keyboard|map|currency|exchange[- ]rates?|rates?|fees?) (?:tables?|files?|lists?|data|packs?|bundles?|sets?)\b", r"(?:tax|tariff|price|fare|routing|exchange rate|product|code) (?:tables?|files?|lists?|data)\b", r"patterns?\b", r"(?:waf|firewall|mail|spam|bot|fraud) (?:\w+ )?(?:rule|filter|signature|list|policy|model)s?\b", r"models?\b", r"campaigns?\b", r"price\b", r"pricing\b", r"tariffs?\b", r"schemas?\b", r"catalogs?\b",
)  # fmt: skip
SHIP_MORE = cue(
    r"(?:switch|turn)(?:es|ed|s)? (?:\w+ ){1,4}on\b", r"automatic updates?\b",
    r"sav(?:e|es|ed|ing)\b", r"flip(?:s|ped)?\b", r"toggl\w+", r"set\b.{0,20}\bto\b", r"(?:raised|lifted|dialled|dialed|turned|moved|goes|went|jumps?|jumped|taken|opened)\b.{0,40}\b100\b", r"(?:from )?(?:0|zero|\d+) ?(?:%|per ?cent)? to (?:100|a hundred)\b", r"sync\w*", r"pick(?:s|ed)? (?:it |them )?up\b", r"import(?:s|ed)?\b", r"upload\w*", r"rolled\b", r"insert\w*", r"overwr\w+", r"linked?\b", r"links\b", r"edit\w*", r"amend\w*", r"add(?:s|ed)?\b", r"accepted\b", r"approved\b", r"hands? out\b", r"pull(?:s|ed)\b", r"got it\b", r"receiv\w+", r"broadcast\w*", r"transmit\w*", r"inherit\w*", r"assign\w*", r"issued\b", r"went to\b", r"go(?:es)? to\b",
)  # fmt: skip
UNTRIED = cue(
    r"(?:from )?(?:0|zero|\d+|none|nobody|nothing) ?(?:%|per ?cent|pct)? to (?:100|a hundred|all|every\w*)\b", r"(?:to|at|for|with) (?:100|a hundred) ?(?:%|per ?cent|pct)\b", r"in (?:one|a single|the same|just one|only one) (?:\w+ )?(?:save|commit|transaction|step|go|batch|push|publish|click|run|change|move|sweep|shot|wave|release|sync|stroke|refresh|deployment|operation)\b",
    r"(?:one|a single) (?:\w+ )?(?:save|commit|click|push|publish|transaction|sync) (?:\w+ ){0,4}(?:all|every|each|the whole|the entire)\b",
    r"(?:pilot|canar(?:y|ies)|staging|test|trial|early|ring|preview|wave)\w*(?: \w+){0,3} (?:was|were|had been|is|are|been|got) (?:skipp\w+|left out|omitted|by-?passed|not used|empty|disabled|switched off|ignored|jumped over|waived)\b", r"(?:skip\w*|by-?pass\w*|jump\w* over|leav\w+ out|left out|waiv\w+|with(?:out)?) (?:\w+ ){0,3}(?:no )?(?:pilot|canar(?:y|ies)|staging|staged|trial|test group|rings?|soak)\b",
    r"(?:without|no|not|never|nor) (?:\w+ ){0,3}(?:an? |any |one |the )?(?:pilot|canar(?:y|ies)|trial|test (?:group|ring|store|site|fleet|device|region)|rings?|stagger\w*|phas\w+|waves?|stages|gradual\w*|step by step|soak)\b", r"(?:not|never|n't) (?:been )?(?:tried|tested|verified|checked|run|loaded|applied|rolled out|deployed|staged|proven)? ?(?:first |before(?:hand)? )?(?:on|in|at|with|to) (?:a |an |one |any )?(?:single|one|few|small|lone|real|first|test|pilot|subset|part)\b",
    r"(?:all|every\w*|both|each) .{0,60}\b(?:at the same (?:time|moment|minute|second|instant)|simultaneous\w*|together|at once|in parallel|in one go|within (?:a |one |two |a few |\d+ )?(?:seconds?|minutes?|moments?))\b", r"big[- ]bang\b", r"domain root\b", r"root of the (?:domain|tree|forest|organi[sz]ation|hierarchy)\b", r"default domain policy\b", r"top[- ]level\b", r"(?:across|throughout) the (?:board|whole|entire|group|company|country|chain)\b",
    r"no (?:way|means|option|possibility) (?:to|of) (?:stag|phas|delay|defer|limit|restrict)\w*", r"everybody (?:gets|got)\b", r"for every(?:body|one)\b", r"applies to (?:all|every\w*)\b", r"regardless of\b",
)  # fmt: skip
PLACES = (
    r"(?:regions?|servers?|hosts?|machines?|sites?|locations?|pops?|edges?|nodes?|data ?cent(?:er|re)s?|zones?|clusters?|instances?|devices?|sensors?|agents?|countries|continents?|markets?|tenants?|stores?|branches|shops|"
    r"outlets|warehouses|plants|depots|tills?|checkouts?|registers?|terminals?|kiosks?|atms?|desks?|offices?|computers?|pcs?|laptops?|workstations?|desktops?|phones?|handsets?|vehicles|cars|trucks|routers?|switches|gateways?|firewalls?|thermostats?|meters?|interlockings?|chargers?|charge points|pumps?|turbines?|scanners?|printers?|cameras?|displays?|resolvers?|name ?servers?|prox(?:y|ies)|load balancers?|hospitals|schools|stations|wards|lines)\b"
)
WIDE = cue(
    r"(?:every|all|each) (?:[\w-]+ ){1,3}(?:of|in) the (?:country|group|chain|fleet|network|world|company)\b",
    rf"(?:all|every(?: single)?|each|(?:nearly|almost|practically|virtually) (?:all|every)|most|the (?:whole|entire)|thousands of|hundreds of|\d{{2,3}},\d{{3}}|\d{{2,}}) (?:of )?(?:the |its |our |their )?(?:[\d.,]+ )?(?:[\w'-]+ ){{0,2}}?{PLACES}",
    r"(?:throughout|across|all over) (?:the |our |its )?(?:country|world|globe|group|chain|network|fleet|estate|company|region)\b", r"country-?wide\b", r"nation-?wide\b", r"chain-?wide\b", r"everywhere\b", r"everybody\b", r"everyone\b", r"globally\b", r"world-?wide\b", r"(?:customers|clients|machines|computers|pcs|endpoints|agents|tills|terminals|devices|installations|shops|stores) (?:\w+ ){0,2}(?:fetch|download|pull|load|receiv|get|install|tak)\w* (?:it|them|this)(?: \w+){0,2} (?:automatic\w*|by themselves|on their own|unasked)\b", r"no (?:\w+ )?(?:store|site|region|market|till|country|branch|user|customer) (?:works?|can|is left|was left|was spared)\b",
)  # fmt: skip
TAKEN_BACK = cue(
    r"(?:previous|former|earlier|old|prior|last|known|original|yesterday's)(?: known)?(?: good)? (?:\w+ ){0,2}?(?:table|map|rules?|schema|feed|model|profile|zone file|catalogue|translation|signature|entry|threshold|value|version|state|value|content|rule|policy|setting|config\w*|list|file|definition|release|set|gpo|template|zone|one)\b", r"(?:back|down) to (?:0|zero|off|nobody|none|the (?:old|previous|former|last|earlier))\b", r"set (?:back )?to (?:0|zero|off)\b", r"(?:files?|lists?|tables?|versions?|data|rules?|set|one) (?:of|from) (?:the (?:day|night|week) before|the (?:autumn|summer|winter|spring)|yesterday|last (?:night|week))\b", r"(?:corrected|repaired|amended|cleaned|fixed) (?:\w+ ){1,3}?(?:is|was|are|were|goes|went|gets) (?:\w+ )?(?:sent|pushed|released|published|distributed|shipped|rolled|uploaded|issued|out)\b", r"(?:corrected|fixed|repaired|cleaned|amended) (?:\w+ ){0,2}?(?:table|map|rules?|schema|feed|model|profile|zone file|catalogue|translation|signatures?|entry|value|version|content|policy|config\w*|list|file|definitions?|set|template|zone|one|update)\b", r"un(?:link|do|did|assign|publish|install)\w*", r"revers\w+", r"re-?call(?:s|ed)?\b", r"with-?draw\w*", r"exclu(?:de|ded|sion)\w*", r"(?:rule|flag|update|definition|policy|change|entry|toggle|feature) (?:is |was |are |were )?(?:removed|deleted|taken out|pulled|off|disabled|withdrawn|reverted|undone)\b", r"(?:remov|delet|pull|tak|disabl|switch|turn)\w* (?:\w+ ){0,3}(?:rule|flag|update|definition|policy|toggle|feature|entry)\b",
)  # fmt: skip
TEST_ONLY = cue(r"before (?:it|they|any\w*|harm|damage) (?:\w+ )?(?:touch\w*|reach\w*|start\w*|begin|began|could|was|were)\b", r"(?:test|staging|dev\w*|lab|sandbox|training|demo) (?:\w+ )?(?:environment|cluster|system|servers?|hosts?|database|site|tenant|network)s?\b", r"staging\b")  # fmt: skip
A_FEW = cue(  # of many: that is a stage
    r"(?:one|two|three|four|five|six|a few|some|a handful|a couple|\d) (?:\w+ )?(?:out )?of (?:the |our |its |all )?(?:\d|hundreds|thousands|\w+ \w+s\b)", r"(?:[1-9]|1\d|20)(?:\.\d+)? ?(?:%|per ?cent) of\b", r"pilot\b", r"(?:wave|stage|ring|phase|batch|group) (?:one|1|0|zero|a)\b",
)  # fmt: skip
HALTED = cue(  # the rollout stopped by itself
    r"(?:rollout|roll-?out|deploy\w*|push|release|pipeline|canary|tool|analysis|gate|guard)\w*(?: \w+){0,4} (?:stop(?:s|ped)? (?:itself|by itself|the|at|before|after)|halt(?:s|ed)?|abort(?:s|ed)?|refus\w+|paus\w+|roll(?:s|ed) (?:it )?back|rejects?)\b", r"(?:stopp|halt|abort)\w* (?:itself|automatically|by (?:itself|the (?:rollout|pipeline|tool|canary)))\b",
)  # fmt: skip
NOT_ONE = cue(r"(?:no|not one|not a single) (?:\w+ )?(?:region|server|host|machine|site|location|node|cluster|device|country|market|tenant|store|branch|shop|plant|depot|till|checkout|terminal|kiosk|desk|office|computer|pc|laptop|workstation|phone|vehicle|router|gateway|hospital|school|station|user|customer) (?:\w+ )?(?:reach\w*|can|could|works?|worked|start\w*|load\w*|answer\w*|is|was|gets?|got|open\w*|connect\w*|sell\w*|print\w*|prints)\b")  # fmt: skip
BREAKS = cue(
    r"exceptions?\b", r"throws?\b", r"no longer\b", r"(?:can|could|do|does|did|is|are|was|were|has|have) not (?:be\b|work|load|open|start|answer|respond|resolve|connect|reach|accept|pay|sign|log|boot|print|run|come|get|any)\w*", r"(?:can't|don't|doesn't|won't|isn't|aren't|couldn't)\b", r"cannot\b", r"nobody\b", r"nothing\b", r"no \w+ (?:\w+ )?(?:can|could|works?|is|was|reach\w*|gets?|start\w*|prints?|loads?)\b", r"unable\b", r"unavailab\w+", r"unreachable\b", r"fail\w*", r"error\w*", r"crash\w*", r"hang\w*", r"freez\w*", r"froze\w*", r"time(?:s|d)? out\b", r"timeouts?\b", r"[45]\d\ds?\b", r"5xx\b", r"clos(?:e|es|ed) (?:it|them)sel(?:f|ves)\b", r"(?:quit|quits|exits|exited)\b", r"shuts? (?:it|them)sel(?:f|ves)\b", r"(?:re-?start|re-?boot)\w* over and over\b", r"down\b", r"offline\b", r"dead\b", r"dark\b", r"lost\b", r"los(?:e|es|ing)\b", r"drop\w*", r"reject\w*", r"refus\w+", r"den(?:y|ied|ies)\b", r"block\w*", r"quarantin\w*", r"empty\b", r"blank\b", r"white\b", r"blue screen\w*", r"reboot\w*", r"loop\w*", r"panic\w*", r"overload\w*", r"collaps\w*", r"stop\w*", r"halt\w*", r"stands? still\b", r"broken?\b", r"break\w*", r"invalid\b", r"null\b", r"wrong\b", r"missing\b", r"gone\b", r"cpu\b", r"memory\b", r"out of\b", r"without\b", r"outage\b", r"disappear\w*", r"vanish\w*", r"locked\b", r"stuck\b",
)  # fmt: skip
RELEASE = cue(r"versions?\b", r"releas\w+", r"builds?\b", r"v\d+", r"deploy\w*", r"roll(?:s|ed)? out\b", r"rollout\b", r"patch\w*", r"code\b")  # fmt: skip
NO_CONTENT = re.compile(  # what is acted upon, or waits to be done
    r"\b(?:list|set|group)s? of (?:the |all |its |our )?(?:\w+ )?(?:hosts?|servers?|machines?|nodes?|devices?|instances?|routers?|sites?|accounts?|targets?|jobs?|ids?|identifiers?)\b|"
    r"\b(?:host|server|machine|node|device|instance|target|inventory|job|work|task|reset) ?(?:lists?|queues?)\b|\blists? (?:of \w+ )?to (?:block|delete|cancel|remove|reset|re-?start|re-?boot|suspend|close|retire|disable|lock|wipe)\b|\b(?:to|that|which|should|would|must) lists?\b", re.IGNORECASE,
)  # fmt: skip
_TRADE = r"(?:hospitals?|schools?|universit(?:y|ies)|shops?|stores?|banks?|police(?: forces?)?|airlines?|airports?|offices|factor(?:y|ies)|compan(?:y|ies)|ministr(?:y|ies)|pharmac(?:y|ies)|hotels?|courts?|councils?|broadcasters?|insurers?|retailers?|supermarkets?|railways?|clinics?|utilities|carriers?|trains?)"
MANY_HURT = re.compile(  # callers of several trades, or from one end of the country to the other
    rf"\b{_TRADE}, (?:\w+ )?{_TRADE},? (?:and |\w+ )?(?:and )?\w+|"
    r"\b(?:stores?|shops?|branch(?:es)?|managers|sites|depots|offices|schools|hospitals|stations|customers|drivers|users)\b(?-i: from [A-Z]\w+ to [A-Z]\w+)|\bfrom (?:every|all) (?:\w+ )?(?:stores?|shops?|branch(?:es)?|regions?|sites?|depots?|offices?|countr(?:y|ies))\b", re.IGNORECASE,
)  # fmt: skip
HANDFUL = cue(
    r"(?:one|two|three|a few|some) (?:\w+ )?(?:articles|products|items|lines|prices|pages|letters|words|pictures)\b",
    r"(?:one|two|three|a single|only one) (?:\w+ )?(?:offices?|shops?|stores?|branch(?:es)?|tills?|terminals?|kiosks?|cameras?|colleagues?|customers?|users?)\b(?! (?:after|by|out|at a))",
    r"(?:a handful|a few|a couple|one or two|very few) (?:of )?(?:\w+ ){0,3}?(?:devices|users|customers|visitors|clients|hosts|servers|browsers|phones|people|requests|mails|machines|pcs|computers)\b",
)
