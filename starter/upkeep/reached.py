"""Where webhooks go: to public addresses by https, and to hosts inside the firm's network that the settings name."""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import Final

import httpx

_OR_NAMED: Final = "or have its host named in REDRESS_WEBHOOK_HOSTS"
_NAMELESS: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""So a resolver says that it knows no address, and not that it knows nothing just now."""

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")
"""What a network leads to the IPv4 address in the last 32 bits (RFC 6052, RFC 4291)."""
_TRANSLATED_LOCALLY: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
"""As a network wants it (RFC 8215): to anywhere."""


class NotThere(ValueError):
    """The address is not one that webhooks go to. The text says why, and what would be one."""


async def address_of(url: str, inside: Collection[str]) -> str:
    """Where a webhook to *url* is sent: the address itself, so that a name leads nowhere else once it was looked at.

    Whoever subscribes must not be able to have us knock inside the firm's network; the hosts *inside* that may be told
    are named in the settings, in small letters, and are sent to by name. Raises `NotThere`, and ``OSError`` where the
    resolver does not answer.
    """
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        raise NotThere("it is no address; give one such as https://crm.example.com/hooks") from None
    host = asked.raw_host.decode("ascii")
    if host in inside:
        return host
    if asked.scheme != "https":
        raise NotThere(f"it is not https; give an https address, {_OR_NAMED}")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, asked.port or 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno not in _NAMELESS:
            raise
        raise NotThere(f"no address is known under its name; correct it, {_OR_NAMED}") from None
    if not all(_is_public(str(place[0])) for *_, place in found):
        raise NotThere(f"it leads inside a network; give a public address, {_OR_NAMED}")
    return str(found[0][4][0])


def _is_public(address: str) -> bool:
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        if one in _TRANSLATED_LOCALLY:
            return False
        within = ipaddress.IPv4Address(int(one) & 0xFFFF_FFFF) if any(one in each for each in _TRANSLATED) else None
        one = one.ipv4_mapped or one.sixtofour or within or one
    return one.is_global and not one.is_multicast
