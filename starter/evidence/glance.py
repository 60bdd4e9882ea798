"""The first page: what was claimed, found, decided and given, at a glance; and the claim itself."""

from collections.abc import Iterator

from domain.money.amounts import total
from starter.evidence.blocks import (
    Block,
    Card,
    Cards,
    Grid,
    Heading,
    Pairs,
    Prose,
)
from starter.evidence.redaction import Reader
from starter.evidence.section import Section
from starter.evidence.words import second, utc


class Glance(Section):
    """The first page, and the claim."""

    def glance(self) -> Iterator[Block]:
        words, facts = self.words, self.facts
        claimed = facts.complaint.amount_claimed
        yield self.heading("glance")
        yield Cards(
            cards=(
                Card(
                    label=words("glance", "claim"),
                    value=str(claimed) if claimed else words("glance", "no_claim"),
                ),
                self.harm_card(),
                Card(label=words("glance", "outcome"), value=self.outcome()),
                Card(
                    label=words("glance", "awarded"),
                    value=str(facts.compensation) if facts.compensation else words("glance", "none_awarded"),
                ),
            )
        )
        if self.reader is not Reader.HANDLER:
            text = words.joined(words("left_out", self.reader), words("left_out", "hashes"))
            yield Prose(text=words("page", "left_out") + words("page", "colon") + text, tone="quiet")
        if facts.erased_at:
            yield Prose(text=words("glance", "erased", day=f"{facts.erased_at:%Y-%m-%d}"), tone="open")
        if not facts.findings:
            if not facts.erased_at:
                yield Prose(text=words("glance", "no_findings"), tone="open")
            return
        if facts.investigations > 1:
            yield Prose(text=words("glance", "earlier", count=facts.investigations), tone="quiet")
        yield Grid(
            title="",
            columns=self.columns("number", "finding", "subject", "verdict", "harm"),
            rows=tuple(
                (
                    str(number),
                    words.check(one.finding.check),
                    self.named(one.finding.subject),
                    words("short_verdict", one.finding.verdict),
                    str(one.finding.harm) if one.finding.harm else "–",
                )
                for number, one in enumerate(facts.findings, start=1)
            ),
            numeric=(4,),
            share=(5, 32, 24, 20, 19),
        )
        computed = [one for one in facts.findings if one.finding.evidence]
        again = words("glance", "again")
        if self.differences:
            text, tone = words("glance", "again_differs", count=len(self.differences)), "bad"
        elif computed:
            text, tone = words("glance", "again_same", count=len(computed)), "good"
        else:
            text, tone = words("glance", "again_none"), "quiet"
        yield Prose(text=again + words("page", "colon") + text + words("page", "stop"), tone=tone)

    def harm_card(self) -> Card:
        words, label = self.words, self.words("glance", "harm")
        harms = [one.finding.harm for one in self.facts.findings if one.finding.harm is not None]
        currencies = sorted({harm.currency for harm in harms})
        sums = [total(harm for harm in harms if harm.currency == currency) for currency in currencies]
        lost = [one for one in sums if one is not None and one.amount > 0]
        if lost:
            return Card(label=label, value=" + ".join(str(one) for one in lost), tone="bad")
        if not harms and self.facts.findings:
            return Card(label=label, value=words("glance", "open_harm"), tone="open")
        return Card(label=label, value=words("glance", "no_harm") if harms else "–")

    def claim(self) -> Iterator[Block]:
        words, complaint, facts = self.words, self.facts.complaint, self.facts
        occurred = [utc(at) for at in (complaint.occurred_from, complaint.occurred_until) if at]
        pairs = {
            "received": second(facts.received_at),
            "channel": words("channel", complaint.channel),
            "name": self.hide.words(complaint.complainant.name),
            "account": self.hide.text(complaint.account) if complaint.account else None,
            "product": self.hide.words(complaint.product) if complaint.product else None,
            "subject": self.hide.words(complaint.subject) if complaint.subject else None,
            "trades": ", ".join(self.hide.text(trade) for trade in complaint.trades) or None,
            "occurred": words("claim", "until", start=occurred[0], end=occurred[1])
            if len(occurred) == 2
            else "".join(occurred) or None,
            "amount": str(complaint.amount_claimed) if complaint.amount_claimed else None,
            "remedy": words("remedy", complaint.remedy_sought) if complaint.remedy_sought else None,
        }
        yield self.heading("claimed")
        yield Pairs(title="", pairs=tuple((words("claim", name), value) for name, value in pairs.items() if value))
        yield Heading(level=3, text=words("claim", "words"))
        yield Prose(text=self.hide.words(complaint.description), quote=True, language=complaint.language)
