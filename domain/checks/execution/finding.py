"""Was an order executed at a price that was really there, when it should have been, and what did it cost otherwise?

Prices are compared as *costs*: the price for a buy, its negative for a sell. A higher cost is worse for the customer
whether the fill opens or closes, long or short. One formula, (cost of the fill - cost of the reference) * contract
size * lots, is therefore both s * (P_fill - P_fair) * U * L of a bad entry and s * (P_ref - P_close) * U * L of a bad
exit, with s = +1 for a long position and -1 for a short one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext

from domain.checks.examination import AT_THAT_INSTANT, BY_DECISIVENESS, Examination
from domain.checks.facts import GAINED, Given, LogFacts, Text
from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from domain.checks.market import SIDES, TYPES, utc
from domain.checks.moments import Execution, Feed, FeedMedian, deciding_quotes, moments
from domain.checks.profit import ReferenceRule
from domain.checks.tolerances import Tolerances
from domain.ground.bilingual import Bilingual
from domain.log.trade_log import Fill, Instrument, Order, Quote
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, plain

VERSION = 1
UNIDENTIFIED = f"bad-fill/{AT_THAT_INSTANT}@{VERSION}"
"""The formula where it is not known whether the order opened or closed a position."""


def check_execution(
    execution: Execution, quotes: Iterable[Quote], medians: Iterable[FeedMedian] = (), *, tolerances: Tolerances
) -> Finding:
    """Judge how one order was executed. The order and repetition of rows make no difference.

    *quotes* are those around the :func:`moments` of the execution, or at least the deciding ones: of each source the
    last at or before, the first after, the one standing when the window began, the extremes of the window and the one
    nearest to the fill. *medians* are those of :func:`~domain.checks.examination.feeds_to_measure`.

    The harm is in the instrument's currency, added up over the fills and rounded once; a loss of one fill is never
    set off against a gain of another.
    """
    with localcontext(prec=60):
        return _check(execution, set(quotes), tuple(set(medians)), tolerances)


def execution_on_facts(subject: str, facts: LogFacts, given: Given) -> Finding:
    """The order *subject* by the rows of *facts*."""
    return execution_whenever(subject, facts, given.tolerances)


def execution_whenever(subject: str, facts: LogFacts, tolerances: Tolerances) -> Finding:
    """The same, which is the same whenever one looks: it goes by what was quoted then."""
    execution = Execution(
        id=subject,
        order=next(iter(facts.orders), None),
        fills=facts.fills,
        instrument=next(iter(facts.instruments), None),
        position=next(iter(facts.positions), None),
    )
    return check_execution(execution, facts.quotes, facts.feed_medians, tolerances=tolerances)


def _check(
    execution: Execution, quotes: set[Quote], medians: tuple[FeedMedian, ...], tolerances: Tolerances
) -> Finding:
    order, instrument = execution.order, execution.instrument
    fills = sorted(set(execution.fills), key=lambda fill: (fill.at, fill.fill))
    if not fills or instrument is None:
        return _unanswerable(execution, fills, tolerances)

    examinations = [Examination(execution, fill, quotes, medians, tolerances) for fill in fills]
    for examination in examinations:
        examination.set_off = examinations[0].pricing
        examination.run()
    verdict = min((e.verdict for e in examinations), key=BY_DECISIVENESS.index)
    decisive = min(examinations, key=lambda e: (BY_DECISIVENESS.index(e.verdict), -e.loss[0], -e.cost, e.fill.fill))
    losses = [e.loss[0] * e.fill.volume * instrument.contract_size for e in examinations]
    total = sum(losses, Decimal(0))
    harm = None if verdict is Verdict.INCONCLUSIVE else Money.of(total, instrument.currency)

    rules = sorted({e.loss[1] for e in examinations if e.loss[0]}) or [AT_THAT_INSTANT]
    return Finding(
        check=Check.EXECUTION,
        subject=execution.id,
        verdict=verdict,
        reason=_reason(_texts(execution, examinations, decisive, harm)),
        harm=harm,
        numbers=_numbers(examinations, losses, harm, instrument, tolerances),
        missing=tuple(dict.fromkeys(name for e in examinations if not e.faults for name in e.missing))
        if verdict is Verdict.INCONCLUSIVE
        else (),
        evidence=_evidence(execution, examinations, quotes, medians, tolerances),
        formula=f"{_kind(order)}/{'+'.join(rules)}@{VERSION}",
        confidence=None if verdict is Verdict.INCONCLUSIVE else decisive.confidence,
        reference_rule=ReferenceRule(decisive.loss[1]) if total else None,
        parts=() if harm is None else _parts(examinations, losses, instrument),
        given=tolerances.told(),
    )


def _parts(examinations: Sequence[Examination], losses: Sequence[Decimal], instrument: Instrument) -> tuple[Part, ...]:
    return tuple(
        Part(
            key=f"price/{e.fill.fill}",
            subject=e.fill.fill,
            kind=PartKind.PRICE,
            amount=loss,
            currency=instrument.currency,
        )
        for e, loss in zip(examinations, losses, strict=True)
        if loss
    )


def _numbers(
    examinations: Sequence[Examination],
    losses: Sequence[Decimal],
    harm: Money | None,
    instrument: Instrument,
    tolerances: Tolerances,
) -> dict[str, str]:
    numbers = {
        "currency": instrument.currency,
        "contract_size": plain(instrument.contract_size),
        "lots": plain(_total_lots(examinations)),
        "tolerance": plain(tolerances.price_of(instrument)),
        "quote_window_seconds": str(tolerances.quote_window_seconds),
        "latency_limit_ms": str(tolerances.latency_ms),
    }
    if harm is not None:
        numbers["harm"] = plain(sum(losses, Decimal(0)))
    for examination, loss in zip(examinations, losses, strict=True):
        if examination.pricing.gain and harm is not None:
            gained = examination.pricing.gain * instrument.contract_size * examination.fill.volume
            numbers[f"{GAINED}{examination.fill.fill}"] = f"{instrument.currency} {plain(gained)}"
        own = examination.numbers | ({} if harm is None else {"loss": plain(loss)})
        prefix = f"{examination.fill.fill}." if len(examinations) > 1 else ""
        numbers |= {prefix + name: value for name, value in own.items()}
    return numbers


def _evidence(
    execution: Execution,
    examinations: Sequence[Examination],
    quotes: set[Quote],
    medians: Iterable[FeedMedian],
    tolerances: Tolerances,
) -> tuple[EvidenceRow, ...]:
    order, instrument, position = execution.order, execution.instrument, execution.position
    rows = [EvidenceRow.of("fills", each.fill.fill, each.fill) for each in examinations]
    rows += [EvidenceRow.of("orders", order.order, order)] if order else []
    rows += [EvidenceRow.of("positions", position.position, position)] if position else []
    rows += [EvidenceRow.of("instruments", instrument.symbol, instrument)] if instrument else []
    used = deciding_quotes(quotes, moments(execution), window_seconds=tolerances.quote_window_seconds)
    used |= {quote for each in examinations if each.reach is not None for quote in each.reach.used}
    rows += [EvidenceRow.of("quotes", f"{q.symbol}/{q.source}/{q.at.isoformat()}", q) for q in used]
    wanted = {Feed(e.fill.symbol, e.own.source, e.fill.at) for e in examinations if e.alone and e.own is not None}
    rows += [
        EvidenceRow.of("feed_medians", f"{m.symbol}/{m.source}/{m.at.isoformat()}", m)
        for m in medians
        if (m.symbol, m.source, m.at) in wanted
    ]
    return tuple(sorted(rows, key=lambda row: (row.table, row.key, sorted(row.values.items()))))


def _texts(
    execution: Execution, examinations: Sequence[Examination], decisive: Examination, harm: Money | None
) -> list[Text]:
    verdict = min((e.verdict for e in examinations), key=BY_DECISIVENESS.index)
    fills = [each.fill for each in examinations]
    texts = [_opening(execution, decisive, fills, _total_lots(examinations)), *decisive.texts]
    if verdict is Verdict.MARKET and not any(each.pricing.gain for each in examinations):
        texts.append(Text("It was executed at the market's price.", "该笔成交属于市场价格。"))
    elif verdict is Verdict.MARKET:
        texts.append(Text("Nothing was lost by it.", "您未因此受到损失。"))
    elif harm is not None:
        texts.append(decisive.sum_up())
        others = "; ".join(each.equation for each in examinations if each is not decisive and each.equation)
        if others:
            texts.append(Text(f"Its other parts: {others}.", f"其他各笔：{others}。"))
        if len(fills) > 1:
            texts.append(Text(f"Over all its parts the loss is {harm}.", f"各笔合计损失为 {harm}。"))
    return texts


def _total_lots(examinations: Iterable[Examination]) -> Decimal:
    return sum((each.fill.volume for each in examinations), Decimal(0))


def _unanswerable(execution: Execution, fills: Sequence[Fill], tolerances: Tolerances) -> Finding:
    order = execution.order
    if fills:
        symbol = fills[0].symbol
        missing = f"instrument {symbol} (contract size, currency, digits)"
        text = Text(
            f"Our records do not say what one lot of {symbol} is, so order {execution.id} could not be examined.",
            f"我司记录中缺少 {symbol} 的合约规格，无法核查订单 {execution.id}。",
        )
    else:
        missing = f"fills of order {execution.id}"
        text = Text(
            f"Our records hold order {execution.id}, but no execution of it.",
            f"我司记录中有订单 {execution.id}，但没有其成交记录。",
        )
    rows = [EvidenceRow.of("fills", fill.fill, fill) for fill in fills]
    rows += [EvidenceRow.of("orders", order.order, order)] if order else []
    return Finding(
        check=Check.EXECUTION,
        subject=execution.id,
        verdict=Verdict.INCONCLUSIVE,
        reason=_reason([text]),
        missing=(missing,),
        evidence=tuple(rows),
        formula=f"{_kind(order)}/{AT_THAT_INSTANT}@{VERSION}",
        given=tolerances.told(),
    )


def _kind(order: Order | None) -> str:
    """Whether the order closed a position (an exit), opened one (an entry), or is not in the log (a fill)."""
    return "bad-fill" if order is None else "bad-exit" if order.position else "bad-entry"


def _reason(texts: Iterable[Text]) -> Bilingual:
    said = list(texts)
    return Bilingual(en=" ".join(text.en for text in said), zh="".join(text.zh for text in said))


def _opening(execution: Execution, decisive: Examination, fills: Sequence[Fill], lots: Decimal) -> Text:
    fill = decisive.fill
    type_en, type_zh = TYPES[execution.order.type] if execution.order else ("order", "委托")
    side_en, side_zh = SIDES[fill.side]
    price, at = decisive.numbers["price"], utc(fill.at)
    head_en = f"Order {execution.id} ({type_en}, {side_en} {_lots(lots)} {fill.symbol}) was filled"
    head_zh = f"订单 {execution.id}（{type_zh}，{side_zh} {plain(lots)} 手 {fill.symbol}）"
    if len(fills) == 1:
        return Text(f"{head_en} at {price} on {at}.", f"{head_zh}于 {at} 以 {price} 成交。")
    return Text(
        f"{head_en} in {len(fills)} parts; the decisive one, {_lots(fill.volume)}, at {price} on {at}.",
        f"{head_zh}分 {len(fills)} 笔成交，其中起决定作用的一笔为 {plain(fill.volume)} 手，于 {at} 以 {price} 成交。",
    )


def _lots(lots: Decimal) -> str:
    return f"{plain(lots)} lot{'' if lots == 1 else 's'}"
