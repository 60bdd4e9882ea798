"""The typed client of questions and answers for customers: suggested, written, approved in each language, withdrawn."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.keys.personal import in_article
from domain.learning.articles import (
    Article,
    ArticleDecision,
    ArticleState,
    Cited,
    DecideArticle,
    Suggestion,
    Tongue,
    Topic,
    Wording,
    WriteArticle,
    check_impersonal,
    check_step,
    offered,
    suggestions,
)
from domain.rules.policy import PolicyPack
from record.articles import read_articles
from record.facts import cases_up_to, cut_off
from record.proofs import signed
from runtime.advice import load_advice
from runtime.causes import load_causes
from runtime.policies import load_packs
from starter.client.drafting import Draft, drafted, is_draft

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor

LOOKED_AT: Final = 500
"""Of so many cases that closed last it is looked what they have in common."""


class Articles:
    """The articles in the record, over a pool of connections. Safe to share between tasks."""

    def __init__(self, pool: "Pool", token_for: "TokenFor | None" = None) -> None:
        """*token_for* makes the token of what is said: what is not proven does not stand, unless anybody may act."""
        self._pool = pool
        self._token_for = token_for

    async def all(self) -> list[Article]:
        """The articles by name, without the cases that are hidden from who looks."""
        async with self._pool.acquire() as connection:
            found = await read_articles(connection)
            hidden = {row["reference"] for row in await connection.fetch(_HIDDEN)}
        return [one.without(hidden) for one in found]

    async def suggest(self) -> list[Suggestion]:
        """What articles could be written about, the most asked first, by the `LOOKED_AT` cases that closed last."""
        return await self._suggested(await self.all())

    async def draft(self, topic: Topic) -> Draft:
        """A first text on a topic that is suggested, from what the record counts of its cases. Raises `NotAllowed`."""
        found = next((one for one in await self.suggest() if one.topic == topic), None)
        if found is None:
            raise NotAllowed("topic: it is not suggested; redress faq suggest has those that are")
        return await self.drafted(found)

    async def drafted(self, found: Suggestion) -> Draft:
        """The same of a suggestion that is at hand."""
        number = await cut_off(self._pool)
        cases = [case async for case in cases_up_to(self._pool, number, found.cases)]
        return drafted(found.topic, cases, packs_in_force(datetime.now(UTC)), load_causes(), load_advice())

    async def write(
        self,
        name: str,
        topic: Topic,
        wordings: Iterable[Wording],
        *,
        owner: str,
        until: date,
        policies: Iterable[str] = (),
        by: Actor,
    ) -> int:
        """Write an article on a topic that cases of enough customers had, or write it anew; returns its version.

        It cites *policies* as they are now. Raises :class:`NotAllowed`.
        """
        now, rules = datetime.now(UTC), rules_in_force(datetime.now(UTC))
        if unknown := [one for one in policies if one not in rules]:
            raise NotAllowed(f"policies: no pack {unknown[0]!r} is in force; redress policy list shows them")
        if until <= now.date():
            raise NotAllowed("until: it has passed; an article holds until a day to come")
        worded = tuple(wordings)
        if draft := next((one for one in worded if is_draft(one)), None):
            raise NotAllowed(f"wordings: the text in {draft.language} is a draft; edit it, and take its mark away")
        known = await self.all()
        others = [one for one in known if one.article != name]
        before = [case for one in known if one.article == name for case in one.written.cases]
        found = next((one for one in await self._suggested(others, before) if one.topic == topic), None)
        if found is None:
            raise NotAllowed("topic: no three customers had it whose cases people answered and closed, or it has one")
        said = WriteArticle(
            message_id=str(uuid.uuid4()),
            actor=by,
            topic=topic,
            owner=owner,
            until=until,
            cited=tuple(Cited(policy=one, hash=rules[one]) for one in policies),
            wordings=worded,
            cases=found.cases,
        )
        async with self._pool.acquire() as connection:
            names = [row["name"] for row in await connection.fetch(_NAMES, list(found.cases))]
        check_impersonal(said, names)
        return await self._say(name, said)

    async def decide(
        self, name: str, version: int, decision: ArticleDecision, language: Tongue | None, reason: str, *, by: Actor
    ) -> int:
        """Approve an article in a language, or withdraw it. Raises :class:`NotAllowed`."""
        said = DecideArticle(
            message_id=str(uuid.uuid4()),
            actor=by,
            version=version,
            decision=decision,
            language=language,
            reason=reason,
        )
        return await self._say(name, said)

    async def _say(self, name: str, said: WriteArticle | DecideArticle) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, name)
            known = next((one for one in await read_articles(connection) if one.article == name), None)
            check_step(known, said)
            token = signed(self._token_for, name, said)
            told = said.model_dump(mode="json", exclude={"actor", "message_id"}) | {"name": said.name}
            values = (name, datetime.now(UTC), str(said.actor), in_article(name, told), said.message_id, token)
            return int(await connection.fetchval(_SAY, *values))

    async def _suggested(self, known: list[Article], also: Collection[str] = ()) -> list[Suggestion]:
        """Those that no article of *known* answers; looked at are the cases of *also* besides."""
        number, rows = await cut_off(self._pool), await self._pool.fetch(_ANSWERED_BY_PEOPLE, LOOKED_AT, list(also))
        asked_by = {row["reference"]: row["asker"] for row in rows}
        cases = [case async for case in cases_up_to(self._pool, number, asked_by)]
        return suggestions(cases, load_causes(), asked_by, known)


def rules_in_force(now: datetime) -> dict[str, str]:
    """The hash of every policy pack that is in force."""
    return {name: pack.hash for name, pack in packs_in_force(now).items()}


def packs_in_force(now: datetime) -> dict[str, PolicyPack]:
    """Every policy pack that is in force, by id."""
    return {
        pack.id: pack
        for versions in load_packs().values()
        for pack in versions
        if pack.in_force(now.astimezone(pack.calendar.zone).date())
    }


async def published(pool: "Pool", language: str, now: datetime) -> list[Wording]:
    """The questions and answers that customers see in *language* today."""
    articles = await Articles(pool).all()
    return shown(articles, language, now, rules_in_force(now)) if articles else []


def shown(articles: Iterable[Article], language: str, now: datetime, rules: Mapping[str, str]) -> list[Wording]:
    """The wordings of those that are published in *language*."""
    seen = (
        one.wording(language) for one in articles if one.state(language, now.date(), rules) is ArticleState.PUBLISHED
    )
    return [one for one in seen if one]


async def offered_for(pool: "Pool", text: str, language: str, now: datetime) -> list[Wording]:
    """The published questions and answers that are about what *text* says."""
    return offered(text, await published(pool, language, now)) if text.strip() else []


def states_of(article: Article, now: datetime) -> dict[Tongue, ArticleState]:
    """By language, whether customers see the article, or why not."""
    rules = rules_in_force(now)
    return {one.language: article.state(one.language, now.date(), rules) for one in article.written.wordings}


_HIDDEN: Final = "select casefile.hidden_cases() as reference"
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('article:' || $1, 0))"
_SAY: Final = """
    insert into reporting.articles (article, number, at, by, said, message_id, token)
    select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6 from reporting.articles where article = $1
    returning number
"""
_NAMES: Final = "select distinct name from casefile.contacts where reference = any($1)"
_ANSWERED_BY_PEOPLE: Final = """
    select c.reference, array_remove(array[c.account], null) || array(
        select l.purpose || ':' || encode(l.token, 'hex') from casefile.lookups l
        where l.scope = c.reference and l.purpose in ('email', 'phone')) as asker
    from (
        (select reference from casefile.cases where closed_at is not null order by closed_at desc limit $1)
        union select unnest($2::text[])
    ) as looked_at join casefile.cases c using (reference)
    where c.reference not in (select casefile.hidden_cases()) and exists (
            select from casefile.timeline t where t.reference = c.reference and t.actor not like 'system:%'
                and t.kind in ('propose_resolution', 'propose_draft', 'resolve_early', 'decide_resolution'))
"""
