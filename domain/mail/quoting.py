"""What somebody wrote now, without what their mail program quoted below it and without its own lines."""

import re
from typing import Final

from domain.mail.html import QUOTED

_LONGEST: Final = 500_000
_MOST_LINES: Final = 2_000
"""What is quoted begins within as many, or is left."""
_DASHES: Final = r"[-_—=*]{2,}"
_BLANK: Final = r"(?:\s|&nbsp;)*"
_BANNER: Final = re.compile(
    rf"^\s*>?\s*{_DASHES}{_BLANK}(?:original message|original|原始邮件|原始郵件|原始信息|原始訊息|邮件原件|邮件原文"
    r"|原邮件|回复的原邮件|回复的邮件|replied message|reply message|ursprüngliche nachricht|message d'origine)"
    rf"{_BLANK}{_DASHES}\s*$",
    re.IGNORECASE,
)
"""Outlook, QQ, Foxmail and 163 in both languages. What somebody forwards is theirs to say, and is no quotation."""

_WROTE: Final = re.compile(
    r"^\s*(?:"
    r"(?:on|le|am)\b.{6,200}\b(?:wrote|a écrit|schrieb)\b.{0,80}[:：]"
    r"|at\s+\d{4}-\d\d-\d\d.{1,200}\bwrote\s*[:：]"
    r"|(?:在|于)?\s*.{0,120}?\d{4}\s*[年/-]\s*\d{1,2}\s*[月/-].{1,200}(?:写道|寫道|编写|撰写|來信|来信)\s*[:：]"
    r"|.{1,120}<[^<>]+@[^<>]+>\s*(?:于|於|在)\s*\d{4}.{1,80}(?:写道|寫道)\s*[:：]"
    r")\s*$",
    re.IGNORECASE,
)
_VERB: Final = re.compile(r"wrote|a écrit|schrieb|写道|寫道|编写|撰写|來信|来信", re.IGNORECASE)
_HEADER_FROM: Final = re.compile(
    r"^\s*\*?(?:from|von|de|发件人|發件人|寄件者|寄件人)\*?\s*[:：]\*?\s*\S", re.IGNORECASE
)
_HEADER_MORE: Final = re.compile(
    r"^\s*\*?(?:sent|date|to|cc|subject|发送时间|发送日期|日期|时间|收件人|抄\s*送|主\s*题|寄件日期|傳送時間|收件者|主旨"
    r"|gesendet|datum|an|betreff|envoyé|date|à|objet)\*?\s*[:：]",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(
    r"forwarded message|begin forwarded|转发的?邮件|轉寄的?郵件|转发邮件信息|forwarded by", re.IGNORECASE
)
_ARMOUR: Final = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:\w+: .*\n)*\n"
    r"|^-----BEGIN PGP SIGNATURE-----\n[^-]*-----END PGP SIGNATURE-----",
    re.MULTILINE,
)
_SIGNATURE: Final = re.compile(r"^--\s?$")
_BY_THE_DEVICE: Final = re.compile(
    r"^\s*(?:sent from (?:my|mail for|outlook|yahoo)\b.{0,60}|get outlook for (?:ios|android).{0,40}"
    r"|发自我的.{0,30}|發自我的.{0,30}|[从從]我的.{0,20}(?:发送|傳送)|来自我的.{0,30}|发自(?:qq邮箱|网易邮箱|邮箱大师|foxmail).{0,20}"
    r"|(?:由|来自)\s*(?:网易邮箱大师|qq邮箱|手机qq邮箱|foxmail).{0,20}|\|?\s*签名由\s*网易邮箱大师\s*定制.{0,10}"
    r"|获取\s*outlook.{0,40}"
    r"|sent (?:with|via) \[?(?:proton|superhuman|spark)\b.{0,80}"
    r"|(?:来自|發自|发自).{1,20}的\s*(?:qq|网易|foxmail)\s*邮箱.{0,10}"
    r"|[从從].{0,12}(?:手机|手機|iphone|ipad|客户端|设备)(?:发来|發來|寄來))\s*$",
    re.IGNORECASE,
)


def written_now(text: str, *, answers: bool = True, forwarded: bool = False) -> str:
    """*text* without quotations and signature; empty where there is nothing else.

    What *answers* nothing quotes nothing of ours, and of what somebody *forwarded* nothing is a quotation: it is what
    they want to be read.
    """
    if not answers and not forwarded:
        return _tidy(_without_signature(text[:_LONGEST].replace(QUOTED, "")))
    kept: list[str] = []
    lines = _ARMOUR.sub("", text[:_LONGEST]).split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        forwarded = forwarded or bool(_FORWARDED.search(line))
        if line.strip() == QUOTED and _FORWARDED.search("\n".join(lines[at : at + 5])):
            at += 1
            continue
        if not forwarded and (line.strip() == QUOTED or _BANNER.match(line) or _is_header_block(lines, at)):
            break
        if not forwarded and at < _MOST_LINES and (length := _wrote(lines, at)):
            after = at + length
            end = _end_of_quoted(lines, after)
            if end > after:
                at = end
                continue
            next_said = next((each.strip() for each in lines[after:] if each.strip()), QUOTED)
            if "@" in "".join(lines[at:after]) or next_said == QUOTED:
                break  # nothing is marked as quoted: all that follows is
            # Somebody tells what somebody said.
        if _SIGNATURE.match(line) and not forwarded:
            rest = lines[at + 1 :]
            if not any(each.lstrip().startswith(">") for each in rest):
                break
        if not line.lstrip().startswith(">") or forwarded:
            kept.append(line.replace(QUOTED, ""))
        at += 1
    return _tidy(kept)


def _without_signature(text: str) -> list[str]:
    """The lines of *text* before its signature: what stands below two dashes, and is neither a list nor quoted."""
    lines = _ARMOUR.sub("", text).split("\n")
    marks = [at for at, line in enumerate(lines) if _SIGNATURE.match(line)]
    if len(marks) != 1 or any(line.lstrip().startswith(">") for line in lines[marks[0] :]):
        return lines
    below = lines[marks[0] : marks[0] + _MOST_LINES]
    if any(
        _BANNER.match(line) or _FORWARDED.search(line) or _is_header_block(below, n) for n, line in enumerate(below)
    ):
        return lines
    return lines[: marks[0]]


def _wrote(lines: list[str], at: int) -> int:
    """How many lines from *at* on say who wrote what follows; 0 where they do not. Programs wrap it.

    They leave no line empty between, and what says so without the first line has what somebody wrote before it.
    """
    for length in (1, 2, 3):
        if at + length > len(lines) or not lines[at + length - 1].strip():
            return 0
        if _says_who(lines[at : at + length]):
            later = any(_says_who(lines[start : at + length]) for start in range(at + 1, at + length))
            return 0 if later else length
    return 0


def _says_who(lines: list[str]) -> bool:
    said = " ".join(lines)[:400]
    return bool(_VERB.search(said) and _WROTE.match(said))


def _end_of_quoted(lines: list[str], at: int) -> int:
    start = at
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at == len(lines) or not lines[at].lstrip().startswith(">"):
        return start
    while at < len(lines) and (lines[at].lstrip().startswith(">") or not lines[at].strip()):
        at += 1
    return at


def _is_header_block(lines: list[str], at: int) -> bool:
    """Whether a quoted header begins at *at*: From, and of Sent, To and Subject two within the lines that follow."""
    if not _HEADER_FROM.match(lines[at]):
        return False
    following = [line for line in lines[at + 1 : at + 8] if line.strip()]
    return sum(bool(_HEADER_MORE.match(line)) for line in following[:5]) >= 2


def _tidy(kept: list[str]) -> str:
    while kept and (not kept[-1].strip() or _BY_THE_DEVICE.match(kept[-1]) or re.fullmatch(r"[\s_\-—=*]+", kept[-1])):
        kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in kept)).strip()
