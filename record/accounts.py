"""What a case is about, as it was last corrected: snippets of SQL about a row ``c`` of ``casefile.cases``."""

from typing import Final

ACCOUNT: Final = """
    coalesce((
        select data ->> 'account' from casefile.timeline t
        where t.reference = c.reference and kind = 'add_evidence' and data ? 'account'
        order by journal desc, id desc limit 1), c.account)
"""
TRADES: Final = """
    array(select jsonb_array_elements_text(c.complaint -> 'trades')) || array(
        select jsonb_array_elements_text(data -> 'trades') from casefile.timeline t
        where t.reference = c.reference and kind in ('add_evidence', 'customer_reply', 'investigate')
            and data ? 'trades' order by id)
"""
"""Those of the complaint first, then those that were named since."""
