"""The rules, as people read them: packs with their clocks, each number with its source."""

import asyncio
from datetime import UTC, datetime
from itertools import groupby

from starlette.responses import Response

from domain.letters.kinds import LETTERS
from runtime.letters.samples import sample_letters
from runtime.policies import load_packs
from web.desk.frame import DESK, shown
from web.pages import NotFound
from web.permissions import staff
from web.visit import Visit


@DESK.get("/rules", staff())
async def rules(visit: Visit) -> Response:
    """Every pack, and how many of its time limits nobody has confirmed."""
    packs = [pack for _, versions in sorted(load_packs().items()) for pack in versions]
    return shown(visit, "rules.html", packs=packs, usual=visit.doors.settings.default_policy)


@DESK.get("/rules/{pack}", staff())
async def rule_book(visit: Visit) -> Response:
    """A pack, or several that apply together: one below the other."""
    known = load_packs()
    names = [name.partition("@")[0] for name in visit.path["pack"].replace(" ", "+").split("+")]
    if not names or any(name not in known for name in names):
        raise NotFound
    return shown(visit, "rule_book.html", packs=[pack for name in names for pack in known[name]])


@DESK.get("/rules/{pack}/letters", staff())
async def letters(visit: Visit) -> Response:
    """Every letter of a pack in both languages, written for a sample case."""
    known = load_packs()
    if visit.path["pack"] not in known:
        raise NotFound
    pack, firm = known[visit.path["pack"]][-1], visit.doors.settings.firm
    samples = await asyncio.to_thread(lambda: list(sample_letters(pack, firm=firm, at=datetime.now(UTC))))
    groups = [
        (LETTERS[kind].name.in_language(visit.language), rule, list(each))
        for (kind, rule), each in groupby(samples, key=lambda one: (one.kind, one.rule))
    ]
    return shown(visit, "rule_letters.html", pack=pack, letters=groups)
