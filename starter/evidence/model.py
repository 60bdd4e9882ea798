"""The pages of a pack: what is shown to whom, in which words. Pure; ``html`` and ``pdf`` write what is here.

A page is one language of a pack, made of blocks in order. Everything that came from outside has passed the redaction
of its reader before it is in a block.
"""

from collections.abc import Sequence

from domain.checks.recompute import Difference
from domain.ground.bilingual import Bilingual
from starter.evidence.blocks import Block, Heading, Pack, Page
from starter.evidence.decided import Decided
from starter.evidence.found import Found
from starter.evidence.glance import Glance
from starter.evidence.reading import CaseFacts
from starter.evidence.redacting import redaction_of
from starter.evidence.redaction import Reader
from starter.evidence.section import Given
from starter.evidence.sources import Sources
from starter.evidence.words import Words, second, words_of


def make_pack(facts: CaseFacts, reader: Reader, languages: Sequence[str], *, firm: Bilingual) -> Pack:
    """The pack of *facts* for *reader*, in *languages*, the first one first."""
    differences = facts.differences()
    pages = tuple(_page(facts, reader, words_of(language), differences, firm) for language in languages)
    title = " · ".join(dict.fromkeys(page.title for page in pages))
    return Pack(
        reference=facts.reference,
        reader=reader,
        title=f"{title} {facts.reference}",
        content_hash=facts.content_hash,
        pages=pages,
        differences=differences,
    )


def findings_for(facts: CaseFacts, reader: Reader, language: str) -> list[Block]:
    """What the pack has of the findings, without the heading of that part."""
    words = words_of(language)
    given = Given(facts, reader, words, facts.differences(), redaction_of(facts, reader, words))
    return [one for one in Found(given).found() if not (isinstance(one, Heading) and one.level <= 2)]


def _page(facts: CaseFacts, reader: Reader, words: Words, differences: Sequence[Difference], firm: Bilingual) -> Page:
    """The page of one language."""
    given = Given(facts, reader, words, differences, redaction_of(facts, reader, words))
    first = Glance(given)
    blocks = [
        *first.glance(),
        *first.claim(),
        *Found(given).found(),
        *Decided(given).decision(),
        *Sources(given).sources(),
    ]
    return Page(
        language=words.language,
        language_name=words("page", "language"),
        title=words("page", "title"),
        firm=firm.in_language(words.language),
        subtitle=words("page", "subtitle", reference=facts.reference),
        made_for=words("page", "made_for", reader=words("reader", reader)),
        state=words("page", "state", revision=facts.revision, at=second(facts.as_of)),
        page_name=words("page", "page", number="{number}"),
        blocks=tuple(blocks),
    )
