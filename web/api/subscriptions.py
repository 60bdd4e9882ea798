"""Subscriptions: where a service is told by webhook what happened to complaints that it may read."""

from typing import Final

from domain.ground.base import Record
from starter.upkeep.api_keys import Scope
from starter.upkeep.reached import NotThere
from starter.upkeep.subscriptions import (
    NewSubscription,
    NoSuchSubscription,
    Subscribed,
    Subscription,
    TooMany,
    end_subscription,
    list_subscriptions,
    rotate_secret,
    send_again,
    subscribe,
)
from web.api.frame import API, Call
from web.api.problems import Problem, Wrong

_ONE: Final = "/subscriptions/{id}"


class WithSecret(Record):
    """A subscription, and the secret by which its webhooks are signed; it is shown this once."""

    subscription: Subscription
    secret: str


def _with_secret(made: Subscribed) -> WithSecret:
    return WithSecret(subscription=made.subscription, secret=made.secret)


def _service(call: Call) -> str:
    """Whose subscriptions are there for the caller. Raises `Problem`."""
    if call.caller.staff:
        raise Problem("forbidden", "services subscribe, with a key; `redress api webhook` shows and ends them")
    return call.caller.id


def _known(call: Call) -> str:
    known: str = call.request.path_params["id"]
    return known


@API.get("/subscriptions", Scope.READ, answer=tuple[Subscription, ...])
async def subscriptions(call: Call) -> list[Subscription]:
    """The service's subscriptions, the newest first, and what waits of each."""
    return await list_subscriptions(call.pool, _service(call))


@API.post("/subscriptions", Scope.READ, body=NewSubscription, answer=WithSecret, status=201)
async def add_subscription(call: Call) -> WithSecret:
    """Have the service told, by webhook, what happens to complaints that it may read."""
    service, new, doors = _service(call), await call.body({}), call.doors
    by, inside = call.caller.actor(), doors.settings.hosts_of_webhooks
    try:
        return _with_secret(await subscribe(call.pool, service, new, inside=inside, by=by, at=doors.clock()))
    except NotThere as error:
        wrong = Wrong(field="url", detail=str(error), pointer="#/url")
        raise Problem("invalid", f"url: {error}", [wrong]) from None
    except TooMany as error:
        raise Problem("invalid", str(error)) from None


@API.post(f"{_ONE}/secret", Scope.READ, answer=WithSecret)
async def new_secret(call: Call) -> WithSecret:
    """Have another secret sign; the one before signs beside it for a day."""
    service = _service(call)
    try:
        return _with_secret(await rotate_secret(call.pool, _known(call), at=call.doors.clock(), service=service))
    except NoSuchSubscription:
        raise Problem("not_found") from None


@API.post(f"{_ONE}/again", Scope.READ, answer=Subscription)
async def again(call: Call) -> Subscription:
    """Have all that was not taken sent now, also what was given up."""
    service = _service(call)
    try:
        return await send_again(call.pool, _known(call), service=service)
    except NoSuchSubscription:
        raise Problem("not_found") from None


@API.delete(_ONE, Scope.READ, answer=Subscription)
async def end(call: Call) -> Subscription:
    """Tell nothing more."""
    by, service = str(call.caller.actor()), _service(call)
    try:
        return await end_subscription(call.pool, _known(call), by=by, at=call.doors.clock(), service=service)
    except NoSuchSubscription:
        raise Problem("not_found") from None
