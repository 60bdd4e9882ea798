"""A case can be found by what was said in it and who said it, without either being readable."""

from typing import TYPE_CHECKING, Final

from activities.case.at_once import AtOnce
from domain.ground.search import terms, wholes
from runtime.keys.searching import hashed

if TYPE_CHECKING:
    from runtime.database import Connection


async def make_findable(
    connection: "Connection", reference: str, *texts: str | None, whole: tuple[str | None, ...] = ()
) -> None:
    """Have the case found by the words of *texts*, and by each of *whole*: an account, an address, a number."""
    writing = AtOnce()
    await add_findable(writing, reference, *texts, whole=whole)
    await writing.run(connection)


async def add_findable(writing: AtOnce, reference: str, *texts: str | None, whole: tuple[str | None, ...] = ()) -> None:
    """Add to what is written by what the case is found: see `make_findable`."""
    if found := await hashed(terms(*texts) | wholes(*whole)):
        writing.add(_ADD, reference, found)


_ADD: Final = """
    insert into casefile.search_terms as known (reference, terms) values ($1, $2)
    on conflict (reference) do update
    set terms = array(select distinct unnest(known.terms || excluded.terms) order by 1)
"""
