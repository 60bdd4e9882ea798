"""Signs in everyday English, by severity and kind of harm. How a pattern is written: :mod:`domain.speech.patterns`."""

from collections.abc import Mapping
from typing import Final

from domain.ground.words import Severity

CLASSES: Final[Mapping[str, str]] = {
    "self": "myself, my self, himself, herself, themselves, himself or herself, oneself, ourselves",
    "who": """
        i, he, she, they, we, my husband, my wife, my son, my daughter, my father, my mother, my brother,
        my sister, dad, mum, mom, my friend, my partner, my dad, my mum, my flatmate, my uncle, my aunt,
        my boyfriend, my girlfriend""",
    "ill": """
        cancer, parkinson, alzheimer, dementia, schizophrenia, autism, autistic, bipolar, epilepsy, diabetes, ms,
        leukemia, leukaemia, down's syndrome, down syndrome, dyslexic, dyslexia, ptsd, depression, severe anxiety,
        panic attack, learning difficulty, learning disability, special need, brain injury, heart condition,
        kidney failure, hiv, nervous breakdown, multiple sclerosis, stroke, brain tumour, mental illness,
        an addiction, gambling problem, gambling addiction""",
    "partner": "husband, wife, partner, boyfriend, girlfriend, ex, ex husband, ex wife, fiance",
    "kin": """
        husband, wife, mother, father, mum, mom, dad, son, daughter, brother, sister, partner, child, baby, kid,
        parent, grandmother, grandfather, aunt, uncle, spouse, grandma, grandpa, gran, nan""",
}

SIGNS: Final[Mapping[Severity, Mapping[str, str]]] = {
    Severity.CRITICAL: {
        "danger to life": """
            (kill|killing|killed|hang|hanging|hanged|shoot|shooting|shot|drown|drowning|drowned|poison|poisoned|
                gas|cut|cutting|hurt|hurting|harm|harming|burn|stab|starve|finish) {self},
            (throw|throwing|threw|jump|jumping|jumped|step|stepping|stepped|leap|leapt) ~ (under|in front of|
                into the path of|before) (the|a) (train|tube|bus|car|truck|lorry|metro|subway), set {self} on fire,
            setting {self} on fire, doing something (to myself|stupid to myself|terrible to myself),
            do something to myself, did something to himself,
            (jump|jumping|jumped|leap|leaping) (from|off|out of|out) (a|the|my|your) (roof|bridge|window|building|
                balcony|tower|cliff|floor), i'll jump, i will jump, i shall jump, i'm going to jump,
            i am going to jump, going to jump off,
            (end|ending|ended|take|taking|took|taken) (my|his|her|their|my own|his own|her own|their own) (own|
                ) (life|lives), end it all, ended it all, ending it all, thought about ending it,
            think about ending it, thinking of ending it, end it tonight, ending it tonight, ending it today,
            end it today,
            (commit|committed|committing|attempt|attempted|attempting|tried|thinking of|thinking about|think about|
                think of|thoughts of|thought of|thought about|contemplating|considering|considered) suicide,
            suicidal thought, suicidal, suicide note, suicide attempt, suicide seems, about suicide, of suicide,
            (want|wanna|wants|wanted|wish|ready|going|rather|prepared|would sooner) (to|) die, would rather die,
            rather be dead,
            (don't|do not|didn't|doesn't|does not|dont|no longer|not|never) (want|wish|wanna|wants) to (live|
                be alive|be here|exist|wake up|carry on living|go on living|be on this earth),
            never want to wake up, no wish to (live|be alive), go to sleep and (never|not) wake up, not to wake up,
            never wake up again, not wake up (again|in the morning|tomorrow), don't want to wake up,
            (nothing|no reason|no point|not worth|isn't worth|no sense|no purpose) ~ (live for|living|to live|
                stay alive|to carry on living|being alive|to go on living),
            (don't|do not|cannot|can't) see (why i should|any reason to|a reason to) ~ (alive|live|living),
            lost the will to live, lost all will to live,
            (i'd|i would|he'd|she'd|i'm|be|better) (be|) better off dead, better if i (was|were) (dead|gone),
            better without me, world without me, wish i (was|were) (dead|never born), no way out ~ except,
            (only|one) way out ~ (death|dead|die|end it), no way out but, the only way out,
            (life insurance|my insurance) ~ (pay|pays|worth) ~ (more|family|debt), when i'm dead, when i am dead,
            once i'm dead, after i'm dead, after i am dead, i'll be dead (by|before|tomorrow|tonight|next),
            i will be dead by, i'll be gone by,
            by the time you ~ (this|it) ~ i (will be|'ll be|am|shall be) (gone|dead),
            (won't|will not|not going to) be (alive|here|around) (tomorrow|next week|next month|any more|anymore|
                by|when|in), i won't be alive, not be alive, not going to make it through ~ (week|night|day),
            won't make it through, won't live to see,
            (can't|cannot|cant|couldn't) (go on|carry on) (living|like this|any more|anymore), i can't go on,
            i cannot go on, cant go on, can't live like this, can't live with (this|it|myself|the shame),
            cannot live with (this|it|myself|the shame), (can't|cannot) bear living,
            (can't|cannot) take it ~ (die|dead|any more), can't face ~ (tomorrow|another day),
            cannot face (tomorrow|another day|it any more), (goodbye|farewell|suicide|good bye) (letter|note),
            (said|saying|says) (goodbye|farewell|good bye) to (everyone|everybody|us all|the children|his children|
                her children), my last words, this is my last message,
            my (obituary|death notice|death certificate|tombstone|gravestone),
            (read|see|find|hear) ~ (me|my name) in the (obituaries|obituary|death notices|morgue),
            leaving this world, leave this world,
            disappear from this world, not be in this world, you won't hear from me again ~ nobody,
            (pills|tablets|rope|noose|razor|blade|gun|sleeping tablets|sleeping pills|bleach|
                poison) ~ (in front of me|on the table|in my hand|ready|next to me|is tied|around my neck|
                beside me), (bought|tied|have|got) (a|the) (rope|noose), with a rope, with a noose,
            (took|taken|swallowed|swallow|swallows|take) ~~ (pills|tablets|overdose|bleach|poison|rat poison|
                pesticide|paracetamol), overdosed, took an overdose,
            (slashed|slit|cut|cutting|cuts) (my|his|her|their|her own|his own) (wrist|wrists|arm|arms|throat|veins|
                vein), self harm, self harming, standing on (the|a) (bridge|roof|ledge|edge|window sill|balcony),
            on the (bridge|roof|ledge) (right now|now), on the (rail|railway|train) track, sitting on the rail,
            drive into a (wall|tree|bridge), drive off a (cliff|bridge), crash my car into, floating in the river,
            pull me out of the river, find my body, collect my body, identify my body, my funeral, my corpse,
            plan ~ to do it tonight, (don't|do not|won't) intend to be (around|here|alive), not be around when,
            won't be around when, decided to die, going to be dead, i won't exist, won't exist tomorrow,
            (shoot|stab|kill|beat|burn) me (on|in|at|if|when), (cut|stabbed|shot) myself, doesn't stop bleeding,
            bleeding to death, isn't worth it any more, my life is (nothing|worthless|finished),
            not (planning|going|intending|meaning) to wake up, (end|ending) things,
            (with|has|took|got|fetched) (the|a|his|her|my) (shotgun|rifle|gun|revolver|pistol|knife|axe),
            edge of the (cliff|roof|bridge|platform), (at|on|from) the (cliff|edge of), can't do this any longer,
            cannot do this any longer, (wasn't|isn't|not) (her|his|their|your) fault ~ (mum|mother|wife|children),
            tell my (mum|wife|mother|kids|husband|father) it wasn't,
            (won't|will not) be a (next|tomorrow) (month|week|year|day), won't be a tomorrow, no tomorrow for me,
            if i were dead, if i was dead, love you all, forgive me ~ gone, forgive me all,
            (found|dumped|buried) in a (ditch|ditch if|forest|hole|grave), bury me alive, just want it to stop,
            make it stop for ever, stop for ever, a (blade|razor blade|razor) here, feel so hopeless, hopeless,
            i'm jumping, (blade|razor|knife|gun|noose|rope) in my hand,
            say sorry to my (mum|wife|kids|mother|children), you will never see me again, never see me alive,
            going to do it tonight, do it tonight goodbye, how to do it painlessly, painless way,
            (look after|take care of|tell) my (dog|cat|kids|children|family|wife|mother|daughter|son|girls|
                boys) ~ (i love|i'm sorry|sorry|goodbye|when i'm gone|once i'm gone|after),
            made my decision ~ (look after|goodbye), my life is over, life is not worth, life isn't worth,
            no longer worth living, do it tonight, when i do it, had enough of life, enough of living,
            tired of (life|living|being alive), when i'm no longer (here|there|around|with),
            when i am no longer (here|there|around|with), when i'm (gone|not here|not there),
            no longer be (here|there|around|alive),
            (locked {self} in|with the gas on|gas on|gas tap|turned on the gas|opened the gas),
            (bottle|pills|rope|razor|gun|tablets) ~ ready, solve it (myself|for good) tonight,
            (up|standing|sitting) on the (roof|ledge|bridge|parapet), on the roof of,
            (can't|cannot|doesn't|don't) see (myself|herself|himself) alive, not alive (at|by) (christmas|easter),
            (my|his|her) blood (is|will be|on|all over), wake up wishing, wish i hadn't (woken|woken up|been born),
            (break|broke|broken) (my|his|her) ~ (neck|arm|legs|arm and) ~ (next time|said|threatened),
            next time it's (his|my|her|your) neck, miss me when, nobody will miss me, no one will miss me,
            (tell|told) (everyone|everybody|them) i loved,
            (jump|throw {self}) (into|off|from|in) (the|a) (river|canal|sea|lake|thames|water|harbour|rails|
                tracks), walk into the (sea|river|traffic|water), last day (alive|on earth|of my life),
            won't see (christmas|tomorrow|the morning|the weekend|monday), final goodbye, goodbye forever,
            farewell forever, i'm done with (life|living), done living, life has no (meaning|sense|purpose|point),
            lost the (wish|desire) to live, (bleed|bled) out, opened (my|his|her) (veins|wrists),
            drink (bleach|poison), take poison, took poison, in a noose, step off the (roof|platform|ledge),
            don't deserve to live, not worth being alive, (cease|stop) (existing|to exist), rather not exist,
            sleep forever, sleep for ever, sleep for good, join my (late|dead) (wife|husband|mother|father), kms,
            unalive {self}, unalive, make an end of (it|myself), put an end to (my life|it all|myself|my misery),
            do away with {self}, did away with {self}, top myself, top himself, topped himself,
            (drove|driven|drive|driving|pushed|push) ~ (to|into) (his|her|my|their) (death|grave|suicide),
            (tried|trying|attempted) to (die|hang|drown|jump|kill),
            (kill|murder|shoot|stab) (you|me|him|her|us|one of you|all of you|my family|my children|my kids|
                my wife|my husband|somebody|someone|them|the first one of you), have me killed, have him killed,
            get me killed, had me killed, (threatened|threatens|threatening|threat) to kill, death threat,
            pointed a gun, gun (at|to) my head,
            (coming|come) ~~ with a (knife|gun|bomb|weapon|axe|rifle|can of petrol|machete),
            (bomb|blow up|burn down|burn) (your|the) (office|branch|building|office down|house), set fire to your,
            you will all die, you're all dead, i'll murder, blood on your hands, jumped in front of,
            stepped in front of, in front of (the|a) train, (found|saw) (him|her|my) ~ unconscious,
            pumped my stomach, pumped his stomach, pumped her stomach""",
    },
    Severity.HIGH: {
        "illness or disability": """
            (has|have|had|having|with|got|from|suffer|suffers|suffering|diagnosed|for|since|after|my|his|her|was|
                mum's|mother's|father's) (a|an|the|my|his|her|from|with|severe|) (severe|) {ill}, mum's alzheimer,
            {ill} ~ (and|so|patient|medication|treatment|sufferer),
            (i'm|i am|is|he's|she's|are|was|we're) (disabled|blind|deaf|ill|very ill|bipolar|autistic|dyslexic|
                partially sighted|pregnant|bedridden|paralysed|paralyzed|terminally ill|seriously ill|
                hard of hearing|mentally ill|wheelchair bound|off sick|on sick leave|mute|epileptic|in a coma),
            (hard of hearing|partially sighted|visually impaired|months pregnant|in a wheelchair|off sick|
                sick leave|chemo|chemotherapy|radiotherapy|antidepressant|antidepressants|dialysis|intensive care|
                in hospital|the hospital for|in a care home|on medication), screen reader, my carer, carer fills,
            my illness, my disability, panic attacks, miscarried, miscarriage, recovering from,
            (cannot|can't) use my (hands|hand|legs), severe anxiety, suffer from anxiety, manic phase,
            my memory is failing, gets confused, can't concentrate, cannot concentrate, down's syndrome,
            gambling problem, gambling addict, addiction to, addicted to,
            (operation|surgery|treatment|transplant) (for|on) (my|his|her),
            (daughter's|son's|wife's|husband's|mother's|father's|child's|kid's) (operation|surgery|treatment),
            money for treatment, need ~ for treatment, nervous breakdown, mentally unwell, unwell,
            (going|nearly|almost|legally|registered|half) (blind|deaf),
            (losing|lost) (my|his|her|their) (sight|eyesight|vision|hearing),
            (sight|eyesight|vision) (is|has) (failing|going|gone|poor|very poor|bad|very bad|getting worse),
            (my|his|her) hearing (is|has) (failing|gone|poor|very poor|bad|very bad|getting worse)""",
        "bereavement": """
            {kin} (died|passed|passed away|has died|has passed), (my|our) late {kin}, i'm a widow, i am a widow,
            widowed, mourning, lost (my|his|her|our) {kin}, death of (my|our|his|her) {kin}, funeral,
            since (he|she) died, after (he|she) died, grieving""",
        "old age": """
            i'm (70|71|72|73|74|75|76|77|78|79|80|81|82|83|84|85|86|87|88|89|90|91|92),
            i am (70|71|72|73|74|75|76|77|78|79|80|81|82|83|84|85|86|87|88|89|90|91|92),
            (is|aged|she's|he's) (70|71|72|73|74|75|76|77|78|79|80|81|82|83|84|85|86|87|88|89|90|91|92) (and|years|
                year|now),
            year old (mother|father|grandmother|grandfather|lady|man|woman|mum|dad|aunt|uncle|pensioner),
            (i'm|i am|he is|she is|he's|she's|we are|we're) retired and, am retired, old age pensioner,
            a pensioner, state pension, my old (mum|mother|father|dad|parents), elderly,
            (mother|father|mum|dad|grandmother|grandfather|aunt|uncle) is (in her|in his) (seventies|eighties|
                nineties), to move my pension, my pension""",
        "hardship": """
            (can't|cannot|unable to|couldn't|can not|no longer|struggle to|struggling to) (pay|afford|make) (the|
                my|our|for|) (rent|food|mortgage|heating|bills|electricity|medicine|school|gas|groceries),
            (can't|cannot) (buy|afford) (food|medicine|nappies|to eat), (can't|cannot|couldn't) feed (my|our|the),
            (nothing|no money|not enough|no cash) (left|) (for|to buy) (food|groceries|nappies|medicine|bread),
            nothing to eat, go to bed hungry,
            going hungry, food bank, on benefits, live on benefits, on welfare, unemployed, lost my job,
            out of work, made redundant, lost my (home|house|flat), (losing|lose) (my|our|the) (home|house|flat),
            evicted, homeless, living in (our|my|the) car, on the street, bailiff, bailiffs, loan shark,
            loan sharks, drowning in debt, in debt up to, deep in debt, debts i can't, no income,
            living off credit card, second loan ~ to pay, can't pay (them|it) back, cut off because i can't,
            electricity has been cut, borrowed from everyone, bankrupt, pay the rent this month, business closed,
            hours cut, my harvest, lost the harvest, about to be evicted, afford to lose this, (hours|shifts) cut,
            can only manage, can't keep up, cannot keep up, my debts, until i'm back at work, i can't meet the""",
        "whole savings": """
            (it was|that was|this was|that's|this is|it's) all (we|i) (had|have|own),
            (all|whole|entire|life) (my|our|of my|of our|life|the) (savings|saving|life savings),
            whole life savings, nest egg, everything i (own|owned|had), all i had, all we had,
            savings of (thirty|twenty|forty|ten|#) year, my inheritance, mother's house, children's future,
            money for my (daughter|son|kids|children|wife|husband|wedding)""",
        "little grasp of language or means": """
            (don't|do not|can't|cannot|doesn't) (read|speak|understand|write) (english|well|or write|much english|
                the language|it well), not my first language, isn't my first language, is not my first language,
            (can't|cannot) read, writing this for me, writes this for me, fills this in, new in (the|this) country,
            a refugee, an immigrant,
            (daughter|son|neighbour|neighbor|carer|grandson|granddaughter) is writing this, he's only (15|16|17),
            she's only (15|16|17), is only (15|16|17), a minor, under age, underage,
            my english is (poor|bad|weak|limited|very bad|very poor|not good|not very good|not so good|not enough),
            my english isn't (good|very good|so good|enough),
            (my|i have|i speak|i only speak|we speak|we have) (poor|bad|broken|limited|little) english,
            {kin} speaks (poor|bad|broken|little|no) english,
            understand nothing of computers, learning difficulties, doesn't know what a""",
        "violence or control at home": """
            abusive relationship, domestic violence, controls all my money,
            (husband|wife|partner|boyfriend|ex) ~ (hits|beats|beat|hit|controls|threatens) me, took my card and,
            {partner} ~ (checks|reads|goes through|looks through|watches|tracks|monitors) (all|every|) (my|of my) (
                phone|messages|mail|emails|letters|texts|calls|every move),
            {partner} ~ (takes|keeps|hides|took away|has taken) (my|all my) (card|cards|bank card|wages|pay|salary|
                money|passport|phone),
            {partner} ~ (won't|will not|doesn't|does not|didn't|never|wouldn't) (let|lets|allow|allows) me (to|) (have|
                use|see my|leave|work|touch|spend|keep|talk to|speak to|out),
            {partner} ~ (forced|forces|is forcing|bullied|threatened) me (to|into|),
            (scared|afraid|frightened|terrified) of my {partner}, restraining order, women's (refuge|shelter)""",
        "retired and cautious": """
            (i am|i'm|am) (retired|78|cautious), retired and cautious, told ~ can't afford to lose""",
        "data leak": """
            (rang|called|phoned) and knew (my|who), knew my (name|account|balance|address),
            ended up with a (perfect|complete|total|) stranger, texted everyone in my phone,
            (stranger|scammer|fraudster|criminal|swindler|somebody|someone|unknown people|unknown ppl|cold caller|
                caller) ~~ (knows|know|knew|quotes|quote|has|had|read) ~~ (balance|deposit|account number|passport|
                address|phone number|how much|id|account), know my balance, knows my balance, knows how much i,
            know how much i,
            (passport|id|id copy|statement|document|photo|data) ~~ (sold online|being sold|on telegram|turned up|
                for sale|on the internet|leaked|dark web),
            (sent|mailed|emailed|gave|showed|shows|see) ~~ (another|other|someone else's|
                somebody else's) (client's|client|customer's|customer|name|person's) ~ (statement|document|data|
                name|trade|file|), the phone number that i only, has the phone number ~ only, all recipients in cc,
            (my|the) (statement|data|details|balance) ~ to my (neighbour|neighbor|ex|employer|boss|colleague|
                cousin), another customer's, another client's, read my exact, someone else's name""",
        "account taken over": """
            alert about a login, login at # am, logged in ~ i was asleep, a login i (didn't|did not) make,
            (login|sign in|signin|logged in|log in) from (a|another|an) (country|device|place|city|unknown device|
                foreign country|device in),
            (somebody|someone|stranger|hacker|thief|person|people) ~~ (logged into|got into|broke into|got hold of|
                emptied|is in control of|took over|logged in) ~ (my|account|acc|profile|password|phone|email),
            (somebody|someone|hacker|stranger) changed (the|my) (phone|password|email|number|mail|address),
            (account|acct|profile) ~ (got|was|been|is) hacked, trades i never placed, orders ~ nobody ~ placed,
            two factor was turned off, bank card linked ~ never seen,
            (password|email|phone number) ~ (was changed|no longer working|been changed) ~ (it wasn't me|not me|
                wasn't me|at), it wasn't me, and the money is gone""",
    },
}

NOT_SIGNS: Final = """
    (trading|account|portfolio|career|commercial|political|brand) suicide,
    (candle|chart|price|quote|gold|market|index|equity|balance|spread|pair) (jumped|threw itself|leapt|walked) ~ (cliff|
        bridge|roof|edge), my corpse of, corpse of (an|my|the) account,
    (executor|administrator|estate) ~~ (took|ended) (his|her|their) own life,
    (client|customer|account holder) of yours who (took|ended) (his|her|their) own life,
    suicide to (trade|use|hold|keep|sell|buy|short|scalp|invest), suicide for (anyone|anybody|any|every) ~ (who|trader|
        traders|beginner|beginners|scalper|scalpers|investor|investors),
    (spread|app|platform|chart|screen|indicator|terminal|server|system|website|price|update|software|phone|
        tablet|printer) (commits|committing|is committing|was committing) suicide,
    suicide (joke|jokes|hotline|hotlines|helpline|prevention|headline|headlines|lyrics|song),
    (app|platform|website|site|support|service|hotline|helpdesk|interface|update|redesign|chatbot|bot|chat|
        form|search|manual|menu) (is|are|was|were|has been|seems|looks) hopeless,
    (hopeless) (app|platform|website|site|support|service|hotline|interface|chatbot|bot|form),
    go on (paying|waiting|using|trading|writing|calling|asking|chasing|arguing|phoning|mailing|guessing),
    live with (a|the|this|that|these|those|your|such|such a) ~ (delay|delays|fee|fees|charge|charges|spread|
        spreads|commission|limit|limits|lag|bug|bugs|wait|layout|interface|update|rule|rules|terms|swap),
    last (message|mail|email|letter|warning|attempt) before (i|we) (go to the|turn to the|write to the|complain|file|
        sue|report|contact the|involve|inform the),
    last (message|mail|email|letter) before the (ombudsman|regulator|court),
    last (message|mail|email|letter) ~ (next|then) ~~ (ombudsman|regulator|court|lawyer|solicitor|police|press),
    (boss|manager|accountant|auditor|bookkeeper|tax adviser|teacher|coach) (will|would|is going to|is gonna|
        'll) kill me,
    kill (the|my|your|all|off|a|an|time|for|this|that) (account|mood|profit|profits|charge|recurring|renewal|auto|
        switch|order|trade|trades|subscription|bird|decent|time|deal|momentum|vibe|recurring charge|auto renewal),
    would kill for,
    (spread|slippage|fee|fees|queue|lag|wait|chart|app|price|delay|waiting|commission|swap|platform|support|
        suspense) (is|are|was|were|has been) (killing|killed|murder|murdering) (me|us), killing me with,
    kills me how, (killed|shot|murdered|stabbed) (by|in) the (system|market|price|news|spread),
    could have killed the, could murder (a|your) (programmer|pizza|coffee|beer), kill me with,
    dying (to know|for a|of boredom|to hear|to see), (to|nearly|almost) die (for|laughing|of),
    (die|dead|died) (of|from) (boredom|laughing|laughter|embarrassment), laughed till i died, die waiting,
    die in your queue, i'd die of, i'll be dead before (you|your|i get), dead before you answer,
    be the death of me, death of my account, (thought|think) i'd die when, over my dead body, dead serious,
    financial suicide, (trade|order|robot|account) committed suicide,
    suicidal (marketing|idea|leverage|price|pricing|offer|trade|spread), committed (hara|harakiri),
    suicide mission, suicide hedged, suicide trade, jumped (from|off) (#|the chart|a cliff at),
    (price|gold|market|margin|rate|index) (jumped|leapt|fell|jump) ~ (cliff|chart|bridge),
    (stab|stabbed) (me|us|you|customers|customer) in the back, shoot (the|your) messenger, shot the messenger,
    shot (yourself|yourselves|himself|itself) in the foot,
    shoot (yourself|yourselves|ourselves|myself|himself) in the foot, shot (myself|ourselves) in the foot, hang up,
    hangs itself, hung itself, cut (my|our|his|the) (losses|loss|position|arm off|costs),
    end (my|the|our|this) (contract|membership|subscription|account|relationship|insurance|trial), life and death,
    my sick leave form, drown in paperwork, drowning in (paperwork|paper|forms|documents|emails|advertising),
    overdose of (advertising|mails|ads), can't live without my, cannot live without my,
    kill myself (laughing|over 20|working), kill me (if|when) i (ever|say|understand), burn down my account,
    rope is around your neck, poor (service|fill|support|price|excuse|quality|design|answer), blind trust,
    blind quote, (blind|deaf) (not to|ears|ear), nearly had a (heart attack|stroke),
    almost had a (heart attack|stroke), gave me a heart attack, heart attack when i (saw|read|got),
    sick of (your|this|the|you), ill with your, made me ill with, make me ill with, be blind,
    going blind (looking|reading|staring|squinting|trying|from|over),
    hospital (group|etf|share|shares|stock|fund|bond),
    (cancer|hospital|pension|pensions|stroke) (drug|drugs|tab|page|product|fund|group|stock), work in a hospital,
    works in a hospital, chart has cancer, retired from day trading, account manager retired, manager has retired,
    nobody is ill, widow maker, widow's peak, old (order|version|app|menu|broker|website|platform|design),
    debt ceiling, debt to you, my debt to you is paid,
    disabled (my|the|your) (button|account|app|leverage|alert|feature|login|access),
    stroke of (luck|the pen|genius|a pen), on the street (price|rate),
    lost my (patience|trade|password|login|phone), i lost my patience, shoot me (an|a|now), shoot me (the|your),
    suicide (helpline|hotline|line|prevention|squad), (told|tells|telling) me to (shoot|hang|kill) myself,
    rather die than (use|call|trade|pay|wait|read|fill), had i been suicidal,
    be (here|around) in (january|february|march|april|may|june|july|august|september|october|november|december),
    (advert|ad|advertisement) in (the|a) (newspaper|paper|press|magazine)"""
