"""Whether the receiving server itself says that a message comes from the domain that it names (RFC 8601)."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

_COMMENT: Final = re.compile(r"\((?:[^()\\]|\\.)*\)")
_RESULT: Final = re.compile(r"^\s*([a-z][\w-]*)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"(?:^|\s)([a-z]+)\.([\w-]+)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)
_PROVING: Final[Mapping[str, tuple[str, ...]]] = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


class Result(NamedTuple):
    """What one method found, and the properties that it rests on, such as ``header.from``."""

    method: str
    result: str
    properties: Mapping[str, str]


def is_authentic(headers: Sequence[str], servers: Collection[str], domain: str) -> bool:
    """Whether the topmost ``Authentication-Results`` of *headers* that one of our *servers* wrote vouches for *domain*.

    Others are anybody's. Ours may be forged as well, below it: servers remove those that come in under their own name
    (RFC 8601, section 5), and only the topmost is believed. DMARC decides where it was asked; else a signature or the
    envelope, if it is of the same domain or of one above it.
    """
    ours = {server.strip().lower() for server in servers}
    for header in headers:
        plain = _without_comments(header)
        server, _, rest = plain.partition(";")
        name = (server.split() or [""])[0].lower()
        if name in ours:
            return _vouches(list(_results(rest)), domain.lower())
    return False


def _vouches(results: Sequence[Result], domain: str) -> bool:
    named = [each.properties["header.from"].rpartition("@")[2] for each in results if "header.from" in each.properties]
    if any(_domain(each) != domain for each in named):
        return False
    policy = [each for each in results if each.method == "dmarc"]
    if policy:
        return all(each.result == "pass" for each in policy)
    for each in results:
        proven = [_domain(each.properties[name]) for name in _PROVING.get(each.method, ()) if name in each.properties]
        if each.result == "pass" and any(_covers(one, domain) for one in proven):
            return True
    return False


def _covers(proven: str, domain: str) -> bool:
    return "." in proven and (domain == proven or domain.endswith("." + proven))


def _domain(text: str) -> str:
    return text.strip('"').rpartition("@")[2].rstrip(".").lower()


def _results(text: str) -> list[Result]:
    found = []
    for part in text.split(";"):
        if said := _RESULT.match(part):
            properties = {f"{kind}.{name}".lower(): value for kind, name, value in _PROPERTY.findall(part)}
            found.append(Result(said.group(1).lower(), said.group(2).lower(), properties))
    return found


def _without_comments(header: str) -> str:
    before, text = None, header
    while before != text:
        before, text = text, _COMMENT.sub(" ", text)
    return " ".join(text.split())
