"""What was typed and not yet sent: kept under the visitor's id, so that it survives errors, restarts and sign-ins."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from domain.keys.personal import Row
from domain.keys.scopes import scope_of_visits
from web.doors import Doors
from web.visits import Session

LIFE: Final = timedelta(days=30)
"""A draft that nobody touched for as long is removed."""

_KEEP: Final = """
    insert into web.drafts (visitor, place, content, touched_at) values ($1, $2, $3, $4)
    on conflict (visitor, place) do update set content = excluded.content, touched_at = excluded.touched_at
"""
_FORGOTTEN: Final = "delete from web.drafts where touched_at < $1"
_DRAFT: Final = "select content from web.drafts where visitor = $1 and place = $2"
_DROP: Final = "delete from web.drafts where visitor = $1 and place = $2"


async def keep(doors: Doors, session: Session, place: str, content: Mapping[str, Any]) -> None:
    """Keep *content* (as JSON) as what this visitor typed at *place*, instead of what was there."""
    now = doors.clock()
    await doors.pool.execute(_FORGOTTEN, now - LIFE)
    row = Row("web.drafts", scope_of_visits(now), f"{session.row.hex()}/{place}")
    typed = row("content", json.dumps(dict(content), ensure_ascii=False).encode())
    await doors.pool.execute(_KEEP, session.row, place, typed, now)


async def draft(doors: Doors, session: Session, place: str) -> dict[str, Any]:
    """What this visitor typed at *place*; nothing if there is none."""
    kept = None if session.unsaved else await doors.pool.fetchval(_DRAFT, session.row, place)
    return dict(json.loads(kept)) if kept else {}


async def drop(doors: Doors, session: Session, place: str) -> None:
    """Forget what this visitor typed at *place*."""
    await doors.pool.execute(_DROP, session.row, place)
