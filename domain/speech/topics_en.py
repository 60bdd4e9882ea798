"""What customers say in English without the words of the trade: patterns by category and weight.

How a pattern is written is told in :mod:`domain.speech.patterns`. The weights are those of the word lists in
:mod:`domain.case.assessment_rules`: 3 names the matter, 2 points at it, 1 goes with it; 5 outweighs a word in passing.
"""

from collections.abc import Mapping
from typing import Final

from domain.ground.words import Category

CLASSES: Final[Mapping[str, str]] = {
    "my": "my, our, my own, all my, the, mine, his, her, their, your, ur",
    "money": """
        money, cash, fund, balance, capital, principal, profit, winning, gain, earning, payout, what is mine, coin,
        what's mine, what i put in, what's left, dollar, euro, pound, buck, usd, eur, gbp, usdt, penny, cent,
        the rest, remaining, remainder, stake, it out, withdrawl, withdrawal""",
    "trade": """
        trade, position, order, deal, ticket, long, short, hedge, stop, sl, tp, lot, bet, option, target, contract,
        leg""",
    "gain": """
        profit, winning, gain, winner, win, winning trade, profitable trade, winning bet, earning, what i won""",
    "cancel": """
        cancel, cancelled, canceled, annul, annulled, void, voided, delete, deleted, remove, removed, wiped,
        reversed, took away, took back, taken away, taken back, clawed back, confiscated, reset, stripped,
        cancel out""",
    "not": """
        not, never, no, isn't, wasn't, hasn't, haven't, didn't, doesn't, don't, won't, can't, cannot, couldn't,
        wouldn't, nothing, none, neither, nor, nobody, no one, yet to, aren't, weren't, failed to, refuse to,
        refused to""",
    "cannot": """
        cannot, can't, cant, could not, couldn't, unable to, not able to, impossible to, not allowed to,
        won't let me, wouldn't let me, not permitted to, can no longer, no longer able to, no way to,
        never able to, may not, trying to, tried to, won't let anyone, doesn't let me, don't let me""",
    "arrive": """
        arrive, arrived, show, showing, shown, show up, showed up, appear, appeared, credited, landed, come, came,
        received, seen, here, booked, reach, reached, visible, in my bank, on my account, in my account, paid,
        added, moved, there, gone up, turned up, through, in limbo, allocated, registered, matched, posted""",
    "bank": "bank, card, wallet, iban, paypal, skrill, neteller, bank account",
    "paid_in": """
        topped up, top up, paid in, pay in, paid you, payed in, put in, funded, fund, sent you, sent, wired, wire,
        transferred, transfer, deposited, deposit, loaded, load, add fund, added fund, fed, feed, credited""",
    "app": """
        app, program, programme, platform, software, website, web site, site, page, screen, terminal, web trader,
        web terminal, interface, chart, system, mt4, mt5, menu, version, update, redesign, tool, button, layout,
        application, server, api, feed, tab, widget, dashboard, client, browser, release, login page, order window""",
    "breaks": """
        crash, crashed, crashes, crashing, freeze, froze, frozen, freezes, freezing, hang, hangs, hung, lag, lags,
        lagging, stutter, down, blank, white, black, slow, unreadable, confusing, confused, awful, useless,
        closes itself, shuts itself down, shut down, shuts down, won't load, won't open, won't start, doesn't load,
        doesn't open, doesn't work, not working, not loading, stopped working, error, bug, buggy, glitch,
        kicked off, kicked out, spin, spins, spinning, quits, quit, disappeared, vanished, unusable, tiny,
        too small, broken, empty, doesn't refresh, doesn't respond, not responding, stuck, offline, unavailable""",
    "person": """
        guy, man, woman, lady, agent, adviser, advisor, representative, rep, salesman, saleswoman, salesperson,
        seller, broker, account manager, manager, caller, teacher, trainer, coach, mentor, expert, consultant,
        employee, staff, people, partner, influencer, specialist, he, she, they, colleague, person, girl, boy,
        trader, analyst, tutor, who called, who rang, who phoned, clerk""",
    "promise": """
        promise, promised, swore, swear, assured, guaranteed, guarantee, guaranteeing, claimed, insisted, said,
        told me, told us, told her, told him, vowed, convinced me, persuaded me, talked me into, bragged, sworn,
        gave his word""",
    "support": """
        support, customer support, customer service, chat, live chat, hotline, help desk, helpdesk, help line,
        agent, bot, robot, call centre, call center, line, phone, staff, representative, rep, department, office,
        team, operator, service desk, mail, email, e mail, message, letter, ticket, call""",
    "charge": """
        fee, charge, charged, cost, commission, comission, deduct, deducted, deduction, bill, billed, interest,
        swap, premium, markup, subscription, surcharge, levy, taken, took, take, taking, rate, financing""",
    "id": """
        id, passport, licence, license, document, paper, proof of address, proof of residence, utility bill,
        selfie, bank statement, bill, birth certificate, driving licence, identification, source of wealth,
        source of fund, salary, tax number, photo, face, identity, name, surname, proof, address proof, certificate""",
    "again": """
        again, third time, third copy, fourth time, fifth time, second time, twice, three times, four times,
        five times, several times, many times, over and over, another copy, yet another, new one, once more,
        ten times, rejected, unreadable, as unreadable, not accepted, refused, refuse, refuses, glare, blurry,
        turned down, bounced, sent back, in review, pending""",
    "wait": """
        day, week, month, hour, year, since, for ages, forever, for ever, still waiting, still, pending,
        processing, in transit, stuck, delayed, late, waiting, yet, ages""",
    "data": """
        data, detail, personal detail, information, phone number, number, email address, address, statement,
        passport, id, id copy, document, file, contact, balance, account number, deposit, name, profile,
        passport scan, records""",
    "stranger": """
        stranger, scammer, fraudster, criminal, cold caller, unknown people, unknown person, unknown number,
        third party, another customer, another client, another company, other companies, other broker,
        someone else, somebody else, neighbour, neighbor, my ex, my employer, telegram, swindler, crook,
        unknown ppl, some firm, other people, hacker""",
    "clicked": """
        clicked, click, pressed, press, hit, tapped, tap, pushed, entered, requested, asked for, ordered, placed,
        wanted, chose, selected, typed""",
}

TOPICS: Final[Mapping[Category, Mapping[int, str]]] = {
    Category.ACCOUNT: {
        5: """
            put a hold on, hold on everything i own, contact support ~ button, each button says,
            (orders|trades) on my account ~ nobody, not permitted to see it, too many attempts,
            (document|paper|file) ~ in review, personal page, the account of my late,
            kept out of my (own|) account, stuck outside, outside my own account, security question,
            (isn't|not) a client any more, get rid of this account, under observation, close it ~ account,
            account (is|was|has been|) (under review|restricted|limited|blocked|disabled|locked|suspended|frozen|
                closed),
            (account|acct|acc|profile|login|user) ~ (under review|restricted|blocked|disabled|suspended|frozen),
            (account|acct|acc|profile|login|user) ~ (under investigation|dormant|hacked|deactivated|terminated|
                red flagged),
            (login|sign in|log in|signin) from (a|another|an unknown) (country|device|place|city|location|
                computer),
            (somebody|someone|stranger|hacker|thief|they) ~ (logged into|logged in to|got into|broke into|
                hacked) ~ account,
            (somebody|someone|stranger|hacker|thief|person) ~ (changed|replaced|swapped) ~~ (password|phone|email|
                number), password ~ (was|were|been|is) ~ changed,
            (trade|order|deal|position) ~ (i|nobody) (never|didn't|has|have) ~ placed,
            (shut|close|delete|cancel) (my|the|this|our) (account|acct|profile) ~ (for good|down|now|please|
                confirm|in writing), two factor ~ (off|disabled), source of (wealth|fund|income),
            where my (salary|money|income) comes from, kicked out of my own account, locked me out, locked out,
            let me back in, unlock me, unfreeze, unfrozen, i can log in but,
            can log in ~~ (under review|greyed out|grey|nothing), account red flagged,
            (lift|remove) the (restriction|block|limit|hold), verification (pending|failed|rejected),
            access ~ revoked, (closed|shut) me down, kicked me out ~ overnight, proof of (address|residence),
            third copy of ~ id, high risk client, multiple accounts, access to my account""",
        3: """
            (sent|uploaded|upload|submitted|handed|gave|given|send) ~~ {id} ~~ {again}, {id} ~~ {again},
            {again} ~~ {id}, (want|wants|wanted|demand|demanded|ask|asked|asking|need) ~~ {id}, verification,
            verify me, identity check, reset (link|mail|email), selfie, restriction, restricted, reactivate,
            close (my|the|our) account, closed (my|the|our) account, (open|opening) an account, opened an account,
            my profile, my login, my password,
            (change|changed|update|correct|remove) ~ (phone number|surname|email|name), can't touch ~ fund,
            cannot touch ~ fund, can't do anything with (it|my), (sub account|joint account|corporate account),
            (block|blocked|suspended|restricted|terminated) me, two factor, i'm locked, i am locked, log me out,
            new password, my date of birth, downgraded, leverage down, merged my account, mixing up our ~ profile,
            blocked since, blocked for, emptied ~ account, is in control of my, reset my password,
            (lock|locked) me, temporary restriction, tax number, my beard, deactivate, my account manager can open,
            treated like a fraudster""",
        1: """
            account, acct, profile, verified, my documents, compliance, kyc, authenticator, grey screen,
            code to log in""",
    },
    Category.WITHDRAWAL: {
        5: """
            finance (department|team), no incoming transfer, never landed, says otherwise, swift copy,
            minimum is #, form to get my cash, refund of my balance, sent back by your bank,
            payment to my (skrill|bank|wallet|card|neteller), paid my withdrawal, my wallet address,
            nowhere to be seen, should have been with me, still asking, take my money at any time,
            pressed cash out, savings are trapped, trapped with you, belongs to me, only let me have the money,
            had a thing from you, never leaves your side, went back into the trading account,
            {cannot} (get|take|pull|have|withdraw|touch|move|transfer|cash) ~ {money} ~ out, {cannot} get ~ out,
            (get|take|taking|pull|pulling|took|getting|cash|moving|move) {my} {money} out,
            (get|taking|take|pulling|getting|took) (it|money|anything|cash|what's mine) out, take out ~ money,
            (send|sent|give|return|release|pay|want|have|need) (me|us|) (back|) {my} (own|remaining|
                ) {money} (back|),
            (want|ask|asked|asking) ~~ (money|balance|fund|capital|profit|cash|deposit) back,
            (want|need|give me|give|let me have) ~ {my} money (back|out|now), payout, paid out, pay me out,
            cashout, cash out, cashing out,
            (ask|asked|request|requested|applied) ~~ (to be paid|get paid|paid out),
            where (is|are) my (money|cash|fund), when ~ (see|get|have|receive) ~ my ~ (money|fund|cash),
            (transfer|money|payment|sum|cash|fund|payout|it) ~~ (still|) {not} ~ (in|at|reached|on|with) my (bank|
                card|wallet), my bank ~ (seen|received|got|has) (nothing|no),
            (before|until|unless) ~~ (have|get|release|send|pay) ~ mine,
            (release|clearance|unfreezing|unlocking|exit) (fee|deposit|tax|payment),
            (tax|lots|turnover) ~~ before ~~ (pay|transfer|send|have),
            (out|back) but ~ (bounced|rejected|cancelled|reversed), take what is mine, request is cancelled by,
            just pay me, until i'm paid, get paid, {money} hostage, when ~ get my money, let me have what's left""",
        3: """
            (request|requested|asked for|applied for|put in for) ~~ (refund|transfer|payout|cash|fund|money|
                balance|rest|profit), my (own|) money, my balance back, my fund, my cash, release my, paid me,
            pay me, you owe me, owe me,
            (sent|send|paid|pay) ~ (to my|to a) (old|wrong|other|different|) (bank|card|wallet),
            transfer to my bank, {wait} ~~ (money|payout|fund),
            (money|payout|fund|transfer|it) ~~ (approved|processed|reversed|completed|in transit), take ~ out,
            taking ~ out, pull ~ out, requested # received #, requested #, what i put in, trade another # lot,
            i just want out, my remaining, my gains, cashier, same day processing, my capital, release fund,
            return my""",
        1: """
            withdrawl, my money, refund of my balance, retention, get my, swift copy, clearance, get money,
            my profit""",
    },
    Category.DEPOSIT: {
        5: """
            made a deposit, left (barclays|my bank|hsbc|chase|lloyds|the bank) ~~ (not|isn't|never),
            put in # ~ only see, only see ~ hundred, you act as if i hadn't, (figure|balance) hasn't changed,
            anything but instant, you won't book, somewhere between my bank and, between my bank and your,
            debited my ~ (visa|card|account|mastercard), none the richer, my top up, top up is nowhere,
            added money, {paid_in} ~~ {not} ~ {arrive}, {paid_in} ~~ nothing,
            {paid_in} ~~ (balance|account) ~ (empty|zero|same|unchanged|didn't move|still),
            (money|payment|transfer|amount|cash|fund) (has|have|) (left|gone|taken) ~~ {not} ~ {arrive},
            (money|payment|transfer|amount) (has|have|) (left|gone|taken) ~~ (my|the) (bank|card|account) ~~ (not|
                but|didn't|nothing|isn't), (bank says|bank confirmed) ~~ you (say|haven't|don't|can't),
            (usdt|btc|eth|coin|crypto) ~~ (confirmed|confirmation|on chain|no credit|wrong chain),
            (welcome|top up|deposit|first payment|first deposit) ~ bonus,
            bonus ~~ (first|top up|deposit|paid in|payment|funded),
            (paid|funded|sent|deposited|put in|topped up|transferred) # ~~ (only|but|and) ~ (credited|booked|see|
                got|appeared|visible|nothing), (fund|load|top up|feed) (my|the|ur|an) (trading|) account,
            on ~ top up, (topped up|top up|topping up),
            (charged|card) ~~ (trading balance|my balance|balance) ~ (didn't|not|zero|0),
            credited my (deposit|payment|transfer), paid in (by|twice|via|with|at|cash), proof of (the|) payment,
            {cannot} (pay in|add fund|add money|deposit|fund|top up),
            my payment (keeps|keep|was|is|gets) ~ declined, payment of # taken, when i (funded|deposited|paid in)""",
        3: """
            (deposit|payment|transfer|wire|top up|voucher) ~~ {not} ~ {arrive},
            {not} ~ (credited|booked|visible|allocated), not (in|on) my (trading|) account,
            my (first|) (deposit|payment), paid in, pay in, funded, i sent you, i wired, wired,
            (you can't|cannot) find it, your (bank|account) detail, wrong reference, two days ago but,
            isn't showing, waiting on yours, add fund, by (bank wire|bank transfer|card|paypal|neteller|skrill),
            qr code, gone from my bank, transferred ~ (margin|money) ~~ (booked|added|credited), no trace of,
            nothing has appeared, trading balance, (sent|transfer) ~~ (balance|account) ~ (zero|empty), money gone,
            payment went through, sent the money""",
        1: "deposit, usdt, credited, paid you, sent back but never, instant transfer, cash paid, slip",
    },
    Category.EXECUTION: {
        5: """
            you deleted it, (closed|chose) the wrong one, moved the market against me, the moment i entered,
            not triggered, expired in the money, price flew past, flew past it, under the cash market,
            turned into a loss, closed my gold, worst second, (hit|pressed|tapped) (sell|buy|close), needle,
            in breach of the (terms|rules), traded at #, never got done, thrown out of the market, equity ~ fine,
            (fill|fills) ~ worse, you gave me #, the button said #, a price that was never, my trade disappeared,
            was poorer,
            (stop|stopped|closed|kicked|threw|thrown|swept|knocked|wiped|took) (me|us|it|my trade|my position) out,
            (stopped|wiped|knocked|swept|kicked|taken|thrown) out, {gain} ~~ {cancel}, {cancel} ~~ {gain},
            {clicked} ~ # ~~ (got|gave|given|filled|received|delivered|executed),
            {clicked} (buy|sell|close|once|twice),
            {clicked} ~~ (nothing happened|did nothing|no reaction|lost|was down|loss), close button did nothing,
            (by the time|until|before|while) ~ (closed|filled|executed|accepted|went through) ~~ (down|lost|loss|
                worse|over),
            (spike|wick|tick|candle|price|low|high|level) ~~ (no other|nobody else|nowhere else|only with you|
                only on your|only you|your feed),
            no other (broker|chart|platform|feed) ~ (shows|had|showed|printed|has),
            (price|market|gold|level) ~ never ~ (touched|reached|went|was|existed),
            my (stop|sl|stop loss|target|tp|take profit|limit|pending|long|short|hedge|leverage) ~ (was|were|hit|
                got|filled|at|order|is),
            (filled|closed|executed|liquidated|triggered|opened) (me|it|my|at|in|past|way|by|twice|ten|one|above),
            (opened|bought|sold|closed) ~ (itself|by itself|once ~ twice),
            {trade} ~ (opened|closed) (itself|by itself|without),
            (gap|difference|spread) between (bid|ask|the two), bid and ask, liquidated, margin (call|level|called),
            (twenty|ten|forty|fifteen|#) (point|pip|tick) (away|under|above|off|apart|from|lower|higher),
            pricing error, off quote, position ~ (closed|liquidated|cut|booked|stayed open|gone),
            {trade} ~~ (not|wasn't|never|without) (filled|executed|triggered|my consent),
            (scalper|scalping|arbitrage|latency|abusive trading), filled way past, requote, negative balance,
            in the red to you, on the chart and still, asked for # and got, double fill, broke some rule,
            you booked it twice""",
        3: """
            (buy|sell) (order|stop|limit), slippage, my (order|trade|position),
            {trade} ~ (too late|seconds late|at a worse), (worse|different|another|wrong|higher|lower|bad) price,
            the price, my long, my short, (open|pending) (order|trade|position),
            (stop|order|price|level|limit) ~~ #, (second|minute) ~~ (close|fill|accept|executed|processing),
            take profit, weekend gap, (monday|sunday) open, volatility, entry, my robot sent, weekend,
            closed by itself, copy trading, trailing stop, my target, dollar higher, pips, the spread, wick, spike,
            nfp, leverage was cut, winning trade, my winner, {trade} ~ {cancel}, {cancel} ~ {trade},
            was down another, down another #, spinning and by the time, my bets, entered at market""",
        1: "chart, price, gold, quote, stop, fill, filled, pip, bid, trade, lost money, candle, position",
    },
    Category.FEE: {
        5: """
            (took|takes|taken|taking|deducted|booked) (the|a|this|your|) (fee|commission|charge), fee ~~ (twice|again),
            admin adjustment, adjustment of, billed me, still pay for, paying interest, closed ~ interest,
            charged for a (platform|licence|license|wire), premium for, (taking|took) # from me,
            sending my own money, nibbling, (each|every) night ~ (vanish|disappear|gone|less|missing), bled by,
            charges that nobody, (says|said|promised) (two|three|five|four) dollars ~ (pay|paid|charged),
            still paid for, paid for (june|july|may|nothing),
            (monthly|weekly|yearly|overnight|closing|hidden|undisclosed|extra|inactivity|admin|conversion|
                annual) (charge|cost|fee|financing|deduction),
            {charge} ~~ (every|each|per|a|once a) (month|week|night|year|day|lot|trade),
            for (doing nothing|not trading|breathing|holding), price list, fee table,
            (statement|bill|ticket|invoice) says #, my bill, zero commission, commission line, commission,
            (nobody|no one|never|nowhere|not) ~~ (told|mentioned|said|stated) ~~ (charge|fee|cost|percent|
                commission|interest),
            (billed|charged) ~ (#|two|three|triple|twice|four) (night|day|month|for|without|interest|overnight),
            islamic account, swap free,
            (take|takes|took|taking|keep|kept|deduct|deducted|nibbling) (# |a little|something|a small amount|
                two percent|a cut|a fee), rebate, cashback of, other deduction, triple swap,
            (charged|took|billed|taken) ~ # ~ (for|off me|without|from), exchange rate,
            (adjustment|charge|fee|deduction) of #, interest every night, overnight cost, hold ~ cost, in charges,
            interest on a position""",
        3: """
            (took|take|taken|deducted|paid|paying|pay) # (dollar|euro|pound|percent|a month|off),
            (price list|table|calculator|quote) ~ says, conversion, convert, subscription, swap, financing,
            free of interest, should be free, isn't free, is free, markup, rebate, without warning, what is this,
            performance fee, closing early, i pay more, cost me, costs, small amount going off, of cost,
            according to your own table, i was promised ~ free, your calculator,
            {charge} ~~ (nobody|never|without) ~ (told|notice)""",
        1: "fee, charged, interest, billed, charge, hidden, expensive, percent",
    },
    Category.PLATFORM: {
        5: """
            it lags, order window, switch it back, resets to, too many buttons, the calculator, thrown back to,
            hidden behind, (can't|cannot) read a thing, new version, the whole thing (stalls|freezes|hangs),
            (asks|asked) me to update, mobile version, throws me out, stalls, {app} ~~ {breaks}, {breaks} ~~ {app},
            (find|found|makes) ~ (new|) (screen|layout|menu|design|version) ~ (confusing|awful|hard),
            pressed the wrong (thing|button|key), tapped ~ instead of,
            (kicked off|logged out|thrown out|disconnected) (every|all the time|the whole),
            (get|gets|getting|got|keeps|keep) (kicked off|kicked out|logged out|logging me out|thrown out|
                throwing me out), the (new|latest) (version|update|design|layout),
            since (the|your|last) (update|new version|upgrade),
            (face recognition|fingerprint) ~ (doesn't|not|stopped|fails|won't),
            (letter|number|font|button|text) ~ (tiny|small|unreadable|hidden), server (is|was|were|) down,
            (can't|cannot) find the ~ button, login loop,
            (price alert|alert|notification|alarm) ~ (never|late|don't|no longer|not), can't see my ~ trade,
            won't load, won't start, no connection, it froze, it hangs, shuts itself down, the list is just blank,
            (froze|frozen|crash|down|outage) ~~ (news|announcement|session|meeting|fed)""",
        3: """
            app, the program, mobile program, (web|desktop) (terminal|trader|program|version), android, ios, ipad,
            chrome, version #, reinstall, log in again, error #, plugin, my watchlist, indicator, dark mode,
            export, maintenance, internet work, connect to the server, screen reader, hard to read, login page,
            redesign, so confusing, wrong button, the new screen, api, bug, history tab, blank page, in my browser,
            time zone, widget, refresh""",
        1: "screen, website, page, button, update, connection, crash, crashes, froze",
    },
    Category.CONDUCT: {
        5: """
            talked into, told to lie, churned, never had a losing month, (loss|losses) would be refunded,
            (used|using) my login to, claimed to be from, recruited on campus, just sign, lose protection,
            not to tell my bank, sold me (option|options|a|an|this), get off the phone until, watch my trades,
            i was told it was insured, rich customers, your (ads|adverts|advert|advertising) make,
            (pushed|pressured|lured|tricked) (into|me), (earns|earn|earning) on every trade, till she signed,
            until she signed, until he signed, kept on at me, as good as cash, free money, didn't want any risk,
            did not want any risk, no risk at all, put in more and more,
            {person} ~~ {promise} ~~ (lose|profit|win|double|safe|guaranteed|return|percent|risk|loss|back|insured|
                never lose|works|wins|money),
            {promise} ~~ (could not lose|couldn't lose|can't lose|no risk|risk free|double|guaranteed|safe|wins|
                doubled),
            (guaranteed|guarantee|promised|risk free|steady|sure) ~ (percent|profit|return|income|win|gain|a month|
                #),
            (told|said) (them|him|her|you|your) ~~ (cautious|safe|retired|afford|beginner|no risk|risk|careful|
                savings|only|nothing),
            (told me|talked me|pushed me|pressured me|persuaded me|convinced me|urged me|made me|got me) ~ (to|
                into|that) ~ (borrow|loan|buy|invest|send|sign|add|lie|deposit|put|pay|move|more|product|safe|it),
            put me into this,
            {person} ~~ (traded for me|made trades|placed trade|without asking|in my name|remote access),
            (you|they|he|she) let (her|him|my|a|someone) ~ (open|trade|sign|invest),
            (advert|ad|poster|brochure|ads|advertise|advertisement|commercial) ~~ (shows|show|lie|celebrity|says|
                said|fake|risk|guaranteed|promise|rich|regulated),
            (lose|lost|losing) more than i (had|have|paid|put in),
            (rang|called|calling|phoned|kept calling) ~~ until ~ (paid|gave in|invested|i took|sent),
            (borrow|took a loan|take out a loan|took out a loan|take a loan) ~~ (put in|more|invest|until|add|
                trade), mis sold, missold, lied to me,
            gets (a cut|commission|paid) ~ (each time|every time|when|for), paid by the number of my trade,
            sold ~ (as|to) (a|me as|me) ~ (savings|plan|safe|product),
            (answered|filled in|filled out) ~ (suitability|questionnaire|question) ~ (on my behalf|for me),
            (don't|didn't|not) understand ~ product, pyramid, signed me up, sign up in ten minutes,
            had (him|her|me) sign, scammed me, traded against us, trade against us,
            the risk ~ never (mentioned|explained), swore""",
        3: """
            your (guy|man|salesman|saleswoman|agent|adviser|advisor|teacher|trainer|expert|representative|
                influencer|partner|employee|account manager|person),
            (my|the) (adviser|advisor|account manager|agent|salesman|trainer|man who called|caller|expert),
            pressure, salesman, seminar, signal group, telegram group, in the group, whatsapp,
            nobody (explained|checked|asked), i believed, i only wanted something safe, complete beginner,
            suitability, unsuitable, remote access, exclusive strategy, posed as, poses as, charity, fake profit,
            too risky, could lose, robot, celebrity, in writing that, learning difficulties, more or lose,
            dementia, retired and cautious, invest""",
        1: "promised, swore, talked, sold, advert, sales, told me to, risk",
    },
    Category.SERVICE: {
        5: """
            chat closes on me, asked for a (supervisor|manager|person), doesn't know its own, was lost says,
            support told me, nothing he can do, branch was closed, promised an e mail, told to send an e mail,
            noted noted, told my story ~ times, (canned|template|standard|stock) (reply|replies|answers),
            can't be bothered, write back, knows nothing, passes me on, pass me on, sends me on,
            (no one|nobody|no body|noone) ~ (replies|reply|answers|answer|follows up|picks up|responds|calls back|
                cares|helps|responsible|takes ownership|at home), {not} ~ (a single|) (reply|answer|response),
            (different|three|four|contradictory) (answer|story|stories|version), hang up on me, hung up on me,
            hung up, hangs up, on hold,
            (promised|said|were going|supposed) ~ (call|phone|ring|write|get back) ~ back, call (me|us|) back,
            {support} ~~ (rude|useless|laughed|laugh|hang|hung up|ignored|yawned|closed on me),
            (rude|unhelpful|impolite|arrogant),
            (sends|sent|passed|passes|pushed|transferred) me ~ (to another|around|from one|on to),
            (chat|bot|reply|robot) is a (robot|bot|template),
            (email|mail|e mail|message|letter|ticket) ~ (unanswered|ignored|without reply|not answered),
            automatic (reply|replies|answer), the same thing whatever i ask,
            (closed|solved|shut) ~ (ticket|complaint|case|request) ~ (without|as solved|unread),
            number # in the queue, (laughed|shouted|yelled|swore) at (me|us),
            speak to a (person|human|manager|supervisor), same (detail|question|thing) over and over,
            (waited|waiting) ~ (for an answer|for a reply|on the phone|for a response), marked as solved,
            ignore me, ignores me, ignored me, talked to me as if, called me (stupid|an idiot|names),
            told to google, told off, passed around,
            (answered|answer|reply|got an answer) in (russian|spanish|chinese|german|english)""",
        3: """
            {support} ~~ {wait}, no reply, the queue, help desk, hotline, supervisor, case handler, my question,
            excuses, call recording, copy of my contract, laughed, template, translation program, your music,
            (listening|listened) to, complain elsewhere, keeps asking me, asked for a manager, nobody takes,
            spoke to, three chats, no answer, the phone, wrote ~ and got""",
        1: "support, chat, answer, reply, calls, agent, ticket, e mail, email, service",
    },
    Category.PRIVACY: {
        5: """
            received an e mail from you with, permission to share, pass my number on, passed my number on,
            knew my name, (rang|called|phoned) and knew, ended up with a (perfect|complete|total|) stranger,
            statement ended up,
            {stranger} ~~ (know|knows|knew|has|have|had|quotes|quote|got|read|phoned|called) ~~ {data},
            {data} ~~ (to|from|by|with|at) (a|) {stranger},
            {data} ~~ (leaked|sold online|being sold|on telegram|turned up|published|public|on a list|exposed),
            (another|other|someone else's|somebody else's|different) (customer|client|person|people|) ~ (statement|
                document|data|name|trade|file|balance|detail),
            (delete|erase|remove) ~ (all you hold|my data|my personal|my details|personal data|
                everything you have),
            (stop|stopped) (sending|texting|mailing) me ~ (marketing|text|message|newsletter|sms|mail|advert),
            (opted out|unsubscribe|unsubscribed|opt out), marketing (text|mail|email|call|message),
            (gave|sold|passed|shared|handed|told|mailed|sent|gave away) ~ (my|our) ~ (detail|data|number|file|
                statement|information|balance|address|employer) ~ to, calls from strangers, all recipients in cc,
            in cc, without my consent, the ~ that i only gave to you, my ex got, know my balance, know how much,
            knows how much, my permission, what you (store|hold|keep|know) about me, looked up my account,
            (record|recorded|recording) my calls, spam since, cold callers, told my employer, your app need my""",
        3: """
            personal data, spam, newsletter, text messages, strangers, my phone number, leaked, breach, recovery,
            consent, my privacy, my data, details, (broker|firm|company) ~ phoned, contacts and, in front of other,
            my full name""",
        1: "scammer, fraudster, stranger, telegram, phoned, sold online",
    },
    Category.LENDING: {
        5: """
            (loan|mortgage|instalment|installment|car finance) ~~ (rate|contract|paid off|paid|approved|instalment|
                booked|repaid|without notice), (paid|repaid) ~ (off|early) ~~ (instalment|charge|still),
            {not} ~ taken a loan, title of my car, payment holiday, payoff figure, home loan, repossessed,
            (approved|accepted|offered) me ~~ (refused|declined|rejected|turned down|
                turned me down|withdrew it),
            the lender, student loan, the finance on my""",
        3: "loan, mortgage, instalment, installment, repayment, repay, interest rate, lender, the car, borrowed",
        1: "contract, rate",
    },
    Category.CARD: {
        5: """
            (credit card|my card|debit card|the card|prepaid card) ~~ (charged|used|declined|purchase|shop|store|
                limit|hotel|fee|points|stolen|cloned|blocked|closed|empty), {not} ~ got the new card,
            (used|charged|cloned|stole|raised|closed|blocked) ~ (my|the) ~ card,
            (atm|cash machine|machine) ~ (kept|swallowed|ate|retained) ~ card, purchases on my card,
            (new|replacement) card, my pin, chargeback, card company, annual fee for the card, late fee on my card,
            my points, card limit""",
        3: "credit card, cash machine, atm, at the till, card was, card blocked, merchant",
    },
    Category.PAYMENT: {
        5: """
            (transfer|sent|paid|payment|remittance|wired) ~~ to my (sister|brother|landlord|son|daughter|mother|
                father|friend|wife|husband|parents|family),
            (landlord|shop|payee|friend|sister|recipient) ~~ (never|hasn't|didn't|not) ~ (got|received|get|
                receive), (same|standing|direct) (bill|order|debit) ~~ (twice|out twice|carried|came),
            bill was paid, my (cheque|check) ~ cashed, paid out twice, sent my rent, direct debit, standing order,
            remittance, wrong account, (bill|electricity|rent|invoice) ~ through your app,
            a payment i never authorised, a payment i never authorized, sent abroad, the shop refunded,
            cancelled the payment, between banks""",
        3: "payee, landlord, cheque, from my wallet, the shop, refunded, to a friend, rent, my own daughter",
    },
    Category.DEBT_COLLECTION: {
        5: """
            (collector|collection agency|collections|they|debt collector) ~~ (threatened|my workplace|my mother|
                my neighbours|my neighbors|what i owe|my door|ringing my|calls my|posed),
            (chased|chasing|chase) ~ (for|over|about) ~ (debt|bill|money), proof of what i owe,
            (bill|debt) ~ (not even mine|isn't mine|not mine|belongs to|of the previous),
            (texted|told|called|ringing|rang|ring) (everyone|my boss|my workplace|my neighbours|my mother|
                my family|my colleagues), go to jail, garnish, sold my debt, my debts, what i owe,
            original creditor, previous tenant, they keep ringing, they keep calling, at six in the morning,
            to my door""",
        3: "debt, collector, collection agency, owe, claim that lapsed, creditor",
    },
    Category.HARDSHIP: {
        5: """
            notice of default, default notice, the default you've entered,
            (reduced|lower) (repayment|instalment|payment), can't keep up the (payment|repayment),
            cannot keep up ~ payment, (pay|paying) less until, more time to pay, (freeze|stop|pause) the interest,
            (pause|put off|postpone|rearrange|defer) ~ (payment|repayment|instalment|them), payments to be put off,
            granted me relief, i can only manage #, can't meet the (instalment|payment|repayment),
            grant me a pause, hardship""",
        3: "instalments, repayments, less until, default",
    },
    Category.CREDIT_REPORT: {
        5: """
            (my|credit) (score|file|report|record) ~~ (dropped|fell|default|wrong|late|listed|shows|open|
                bankruptcy|error), on my (credit|) (file|report|record), default on my file,
            reported (a|me) (late|late payment), (reported me|you reported),
            credit (agency|bureau|file|report|record|score), the bureau, wrong entry, correct my file""",
        3: "my score, late payment, inquiry, my file, bureau, charge off, identity theft",
    },
}
