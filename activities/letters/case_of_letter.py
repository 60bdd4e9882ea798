"""What a letter is written of and where it may go: the case as it stands, read at once."""

from typing import TYPE_CHECKING, Final

import asyncpg

from record.customers import chosen_by, identified_by

if TYPE_CHECKING:
    from runtime.database import Connection


async def read_case_of_letter(connection: "Connection", reference: str) -> asyncpg.Record:
    """The case: of its own columns those that a letter may need; the address that it has now (``contact`` is the id of
    its row); whether anything is ``filed`` of the customer, and whether restricting them was ever spoken of
    (``restrictable``); what was ``chosen``, for `record.customers.last_chosen`; the ways ``in_doubt``; ``identified``,
    for `record.customers.who_complains`; since when and whether it is ``responded_at`` and ``extended``; and the
    columns of `runtime.letters.letter_text.Standing`.

    Raises `LookupError` if there is no such case.
    """
    case = await connection.fetchrow(_CASE, reference)
    if case is None:
        raise LookupError(f"there is no case {reference}")
    return case


_CASE: Final = f"""
    select
        c.reference, complaint, policy_hash, account, revision, stage, handler, escalation_level, breached,
        contact.id as contact, contact.name, contact.email, contact.phone,
        exists (select from casefile.customer_files
            where kind = 'customer' and subject = c.account) as filed,
        exists (select from casefile.restrictions where restrictions.account = c.account) as restrictable,
        array(
            select distinct a.way from casefile.letters join casefile.letter_attempts a using (key)
            where letters.reference = $1 and a.in_doubt) as in_doubt,
        {chosen_by("$1")},
        {identified_by("$1")},
        (select max(at) from casefile.events where reference = $1 and event = 'responded') as responded_at,
        exists (select from casefile.events where reference = $1 and event = 'extended') as extended,
        exists (select from casefile.timeline where reference = $1 and kind = 'finding') as looked,
        coalesce((
            select kind in ('propose_resolution', 'proposed') from casefile.timeline
            where reference = $1 and kind in ('propose_resolution', 'proposed', 'decide_resolution', 'investigate',
                'request_information', 'set_aside')
            order by at desc, journal desc nulls last, id desc limit 1), false) as proposed,
        coalesce((
            select event = 'information_requested' from casefile.events
            where reference = $1 and event in ('information_requested', 'customer_replied', 'wait_ended')
            order by number desc limit 1), false) as asked,
        coalesce(
            (select max(at) from casefile.events where reference = $1 and event = 'responded')
            >= (select max(at) from casefile.timeline where reference = $1 and kind = 'stage' and text = 'responded'),
            false) as answered,
        exists (select from casefile.postings where reference = $1 and kind = 'award') as paid_before,
        (select count(*) from casefile.events where reference = $1 and event = 'overdue_noted')::integer as new_dates,
        exists (select from casefile.timeline where reference = $1 and kind = 'continues') as continues
    from casefile.cases c left join lateral (
        select id, name, email, phone from casefile.contacts where reference = $1 order by id desc limit 1
    ) as contact on true
    where c.reference = $1
"""  # noqa: S608 (constants)
