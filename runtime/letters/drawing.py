"""A letter drawn from its text: the same words as HTML, for mail and for pages.

The text is the letter. What its lines are (headings, points, facts with labels) is found in it again, so that there is
no second template; everything in it is escaped, whoever wrote it, and nothing is fetched from anywhere. Mail programs
keep no style sheet for sure: in mail each element has its own style. None has a colour, so that letters can be read on
light and on dark ground.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby, takewhile
from typing import Final, NamedTuple


class Heading(NamedTuple):
    """The title of what follows, without the brackets that it has in Chinese."""

    text: str


class Paragraph(NamedTuple):
    """Lines that belong together."""

    lines: tuple[str, ...]


class Listed(NamedTuple):
    """Points of a line or more; numbered from ``first``, or not at all."""

    first: int | None
    points: tuple[tuple[str, ...], ...]


class Labelled(NamedTuple):
    """Facts with their labels, one a line."""

    rows: tuple[tuple[str, str], ...]


Block = Heading | Paragraph | Listed | Labelled

_HEADING: Final = re.compile(r"【([^】]{1,30})】|(?=.{4,60}$)[A-Z][A-Z’' -]+")
_POINT: Final = re.compile(r"(?:-|([1-9]\d{0,2})\.) (\S.*)")
_MORE_OF_IT: Final = re.compile(r" {2,}(\S.*)")
_CODE: Final = r"(?<![A-Za-z0-9-])(?=[A-Z0-9-]{4,18}(?![A-Za-z0-9-]))[A-Z0-9]+(?:-[A-Z0-9]+)+"
"""References, numbers of accounts and dates: read and copied as a whole, so that no line ends at their hyphens. Longer
ones would not fit a telephone as a title.
"""
_LABELLED: Final = re.compile(r"([^:：.,;。，；]{1,40})(?:: |：)(\S.*)|(\d{1,2}) {2}(\S.*)")


def blocks_of(text: str) -> list[Block]:
    """What the *text* of a letter consists of, in order. No word of it is lost."""
    found: list[Block] = []
    for empty, together in groupby(text.split("\n"), key=lambda line: not line.strip()):
        if empty:
            continue
        lines = [line.rstrip() for line in together]
        if heading := _HEADING.fullmatch(lines[0]):
            found.append(Heading(heading[1] or lines[0]))
            lines = lines[1:]
        while lines:
            block, taken = _listed(lines) or _labelled(lines) or _paragraph(lines)
            lines = lines[taken:]
            found[-1:] = _joined(found[-1:], block)
    return found


def _listed(lines: Sequence[str]) -> tuple[Block, int] | None:
    first: int | None = None
    points: list[list[str]] = []
    for line in lines:
        if points and (more := _MORE_OF_IT.fullmatch(line)):
            points[-1].append(more[1])
            continue
        point = _POINT.fullmatch(line)
        number = int(point[1]) if point and point[1] else None
        if point is None or (points and number != _after(first, points)):
            break
        first = first if points else number
        points.append([point[2]])
    taken = sum(len(point) for point in points)
    return (Listed(first, tuple(tuple(point) for point in points)), taken) if points else None


def _after(first: int | None, points: Sequence[object]) -> int | None:
    return None if first is None else first + len(points)


def _labelled(lines: Sequence[str]) -> tuple[Block, int] | None:
    found = takewhile(bool, map(_LABELLED.fullmatch, lines))
    rows = tuple((one[1] or one[3], one[2] or one[4]) for one in found if one)
    return (Labelled(rows), len(rows)) if len(rows) > 1 else None


def _paragraph(lines: Sequence[str]) -> tuple[Block, int]:
    said = (lines[0], *takewhile(lambda line: not _POINT.fullmatch(line), lines[1:]))
    return Paragraph(tuple(line.strip() for line in said)), len(said)


def _joined(last: Sequence[Block], block: Block) -> list[Block]:
    """*last* with *block* behind it, or in it where its numbers go on after an empty line."""
    match last, block:
        case [Listed(first, before)], Listed(int(number), points) if number == _after(first, before):
            return [Listed(first, before + points)]
    return [*last, block]


def drawn(text: str, *, heading: str = "h2", styles: Mapping[str, str] | None = None, ours: str | None = None) -> str:
    """The *text* of a letter as HTML, with headings of that level, and with *styles* by the name of the element.

    A link is made of nothing but addresses that begin with *ours*: who has us write cannot have us link to elsewhere.
    """
    styles = styles or {}
    link = re.escape(escape(ours)) + r"/[\w./?=&;#%~-]+" if ours else "(?!)"
    special = re.compile(f"(?P<link>{link})|{_CODE}")

    def made(name: str, inner: str, **attributes: object) -> str:
        said = "".join(f' {key}="{value}"' for key, value in attributes.items())
        style = styles.get(name)
        return f'<{name}{said} style="{style}">{inner}</{name}>' if style else f"<{name}{said}>{inner}</{name}>"

    def words(line: str) -> str:
        return special.sub(
            lambda found: made("a", found[0], href=found[0]) if found["link"] else made("span", found[0]), escape(line)
        )

    def lines(several: Sequence[str]) -> str:
        return "<br>\n".join(map(words, several))

    def block(one: Block) -> str:
        match one:
            case Heading(text):
                return made(heading, words(text))
            case Paragraph(said):
                return made("p", lines(said))
            case Listed(first, points):
                inner = "\n".join(made("li", lines(point)) for point in points)
                start = {} if first in {None, 1} else {"start": first}
                return made("ul" if first is None else "ol", inner, **start)
            case Labelled(rows):
                inner = "\n".join(
                    f"<tr>{made('th', words(label), scope='row')}{made('td', words(fact))}</tr>" for label, fact in rows
                )
                return made("table", inner)

    return "\n".join(map(block, blocks_of(text)))


def codes_whole(escaped: str, attribute: str) -> str:
    """HTML with no tags in it, in which each reference stands in a ``span`` with that *attribute*."""
    return re.sub(_CODE, rf"<span {attribute}>\g<0></span>", escaped)


_FONTS: Final = {
    "en": "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif",
    "zh-CN": "system-ui,-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC',sans-serif",
}
_LINE: Final = "1px solid #8a8a8a"  # seen on white and on black
_IN_MAIL: Final = {
    "h2": "margin:28px 0 8px;font-size:15px;line-height:1.4;font-weight:700;letter-spacing:.03em",
    "p": "margin:0 0 16px",
    "span": "white-space:nowrap",
    "ul": "margin:0 0 16px;padding:0 0 0 24px",
    "ol": "margin:0 0 16px;padding:0 0 0 24px",
    "li": "margin:0 0 8px",
    "table": "margin:0 0 16px;width:100%;border-collapse:collapse",
    "th": f"padding:6px 16px 6px 0;border-bottom:{_LINE};width:32%;text-align:left;vertical-align:top;font-weight:600;"
    "overflow-wrap:normal",
    "td": f"padding:6px 0;border-bottom:{_LINE};text-align:left;vertical-align:top",
}


def mail_page(subject: str, text: str, *, language: str, firm: str, logo: str | None, ours: str | None = None) -> str:
    """A letter as the HTML part of a mail; *logo* is the address of the firm's picture within the mail."""
    name = escape(firm)
    shown = name
    if logo:
        # On white wherever it stands: the letters of a logo are mostly dark.
        style = "height:auto;width:auto;max-height:48px;max-width:100%;padding:4px;background:#ffffff;border:0"
        shown = f'<img src="{escape(logo)}" alt="{name}" height="48" style="{style}">'
    title = escape(subject)
    heading = codes_whole(title, f'style="{_IN_MAIL["span"]}"')
    spacing = "1.8" if language.startswith("zh") else "1.6"
    return f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:24px 16px;font-family:{_FONTS.get(language, _FONTS["en"])};font-size:16px;\
line-height:{spacing}">
<div role="article" lang="{escape(language)}" style="max-width:608px;margin:0 auto;overflow-wrap:anywhere">
<div style="padding:0 0 12px;border-bottom:{_LINE};font-weight:600">{shown}</div>
<h1 style="margin:24px 0 20px;font-size:22px;line-height:1.35;font-weight:650">{heading}</h1>
{drawn(text, styles=_IN_MAIL, ours=ours)}
</div>
</body>
</html>
"""
