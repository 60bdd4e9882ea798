"""``redress actor``: who one is, tokens for tools that cannot sign themselves, and keys for those who issue them."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from starter.cli.options import ACTOR_VARIABLE, By, actor, content_of
from starter.cli.program import Answer, Failed, app, by_default, command, invalid
from starter.reading.layout import facts, line, whole

if TYPE_CHECKING:
    from domain.ground.messages import Message
    from runtime.identity.issuing import TokenIssuer

_SHOW: Final = "show"


actors = typer.Typer(help="Who one is here (actor), tokens and keys.", cls=by_default(_SHOW))
app.add_typer(actors, name="actor", rich_help_panel="Act on a case")


@command(actors, _SHOW)
def show(*, by: By = None) -> Answer:
    """Show who acts, and who vouches for that."""
    who = actor(by)
    issuer = _issuer()
    data = {
        "id": who.id,
        "person": who.person,
        "role": who.role,
        "issuer": issuer.key.issuer if issuer else None,
        "key": issuer.key.kid if issuer else None,
    }
    shown = facts(
        {
            "You are": f"{who.id}, acting as {who.role.value.replace('_', ' ')}",
            "Named by": f"--as or {ACTOR_VARIABLE}={os.environ.get(ACTOR_VARIABLE, '-')}",
            "Compared as": who.person if who.person != who.id else None,
            "Signed by": f"{issuer.key.issuer}, key {issuer.key.kid}" if issuer else None,
        }
    )
    unsigned = "Nothing signs for you: name a key with REDRESS_SIGNING_KEY; a worker that knows issuers refuses you."
    return Answer(data, [shown] if issuer else [shown, line(unsigned, "yellow")])


@command(actors, "token")
def token(
    *,
    reference: Annotated[str, typer.Argument(metavar="REF", help="The case or incident it is sent to.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The message, such as assign.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The message as JSON (- reads standard input).")],
) -> Answer:
    """Sign a message for who is named in it; the token goes with it as the Temporal header `redress-actor`."""
    from domain.people.actors import Begin, Person
    from runtime.identity.speaking import KINDS

    kinds: dict[str, type[Message]] = {**KINDS, Begin.name: Begin}
    if name not in kinds:
        invalid("NAME", f"{name!r} is not one of {', '.join(kinds)}")
    text, what = content_of(file)
    try:
        given = json.loads(text)
    except ValueError as error:
        invalid(what, f"it is no JSON: {error}")
    message = kinds[name].model_validate(given)
    issuer = _issuer()
    if issuer is None:
        raise Failed("nothing signs here: name a key with REDRESS_SIGNING_KEY, or have `redress up` run here")
    signed = issuer.token(Person.of(message.actor), reference.strip(), message)
    return Answer({"token": signed}, [whole(signed)])


@command(actors, "new-key")
def new_key(
    *,
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="In whose name it signs, such as the-desk.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the two files are put.", file_okay=False)],
) -> Answer:
    """Make a key to sign with, and the file of issuers by which workers know it."""
    from runtime.identity.keys import own_keys, signing_key_in

    if signing_key_in(folder):
        raise Failed(f"{folder} has a signing key already; choose another folder")
    signing, issuers = own_keys(folder, issuer)
    shown = facts({"REDRESS_SIGNING_KEY": whole(str(signing)), "REDRESS_ISSUERS": whole(str(issuers))})
    return Answer({"signing_key": str(signing), "issuers": str(issuers)}, [shown])


def _issuer() -> "TokenIssuer | None":
    from runtime.identity.issuing import TokenIssuer
    from runtime.settings import load_settings

    return TokenIssuer.of(load_settings())
