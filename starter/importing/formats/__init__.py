"""Readers of what trading platforms and data vendors write. Pure: text, table rows or cells in, source rows out."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from starter.importing.formats import mt4_statement, mt5_report
from starter.importing.formats.code_pages import utf_16
from starter.importing.formats.kinds import Kind
from starter.importing.formats.prices import EST, GMT, HISTDATA_BAR, HISTDATA_TICK, MT4_BAR, is_dukascopy
from starter.importing.formats.server_clock import ServerClock
from starter.importing.formats.ticks import TRUEFX, bare_columns, is_fxcm, tick_columns


class Format(StrEnum):
    """A form of files that can be imported."""

    CSV = "csv"
    MT5_BARS = "mt5-bars"
    MT5_TICKS = "mt5-ticks"
    MT5_REPORT = "mt5-report"
    MT4_STATEMENT = "mt4-statement"
    DUKASCOPY_TICKS = "dukascopy-ticks"
    HISTDATA_TICKS = "histdata-ticks"
    HISTDATA_BARS = "histdata-bars"
    MT4_BARS = "mt4-bars"
    TRUEFX_TICKS = "truefx-ticks"
    FXCM_TICKS = "fxcm-ticks"
    TICKS = "ticks"

    @property
    def about(self) -> "About":
        return _ABOUT[self]


class About(NamedTuple):
    """``kinds`` its rows may give; ``clock`` its times are in, ``None`` where the file does not tell."""

    what: str
    kinds: Sequence[Kind]
    clock: ServerClock | None
    has_lines: bool = True


_ABOUT: Mapping[Format, About] = {
    Format.CSV: About("Redress's own CSV (docs/trade-log-csv.md), or another one with --map", tuple(Kind), None),
    Format.MT5_BARS: About("bars exported by an MT5 terminal: <DATE> <TIME> <OPEN> …, tab", (Kind.BARS,), None),
    Format.MT5_TICKS: About(
        "ticks exported by an MT5 terminal: <DATE> <TIME> <BID> <ASK> …, tab", (Kind.QUOTES,), None
    ),
    Format.MT5_REPORT: About(
        "report of an MT5 terminal, workbook or HTML: orders, deals, positions",
        mt5_report.KINDS,
        None,
        False,
    ),
    Format.MT4_STATEMENT: About(
        "statement of an MT4 terminal or broker as HTML: Statement, DetailedStatement", mt4_statement.KINDS, None, False
    ),
    Format.DUKASCOPY_TICKS: About("ticks of Dukascopy: Gmt time,Ask,Bid,AskVolume,BidVolume", (Kind.QUOTES,), GMT),
    Format.HISTDATA_TICKS: About("ticks of HistData, generic ASCII: 20240102 000000123,bid,ask,0", (Kind.QUOTES,), EST),
    Format.HISTDATA_BARS: About("one-minute bars of HistData, generic ASCII", (Kind.BARS,), EST),
    Format.MT4_BARS: About("bars of MT4's history centre: 2026.02.16,02:07,open,high,low,close", (Kind.BARS,), None),
    Format.TRUEFX_TICKS: About("ticks of TrueFX: EUR/USD,20090501 00:00:00.263,bid,ask", (Kind.QUOTES,), None),
    Format.FXCM_TICKS: About("ticks of FXCM: DateTime,Bid,Ask, month first", (Kind.QUOTES,), None),
    Format.TICKS: About(
        "ticks with a header that names time, bid and ask, or epoch,bid,ask without", (Kind.QUOTES,), None
    ),
}


def sniff(head: bytes) -> Format:
    """The format of a file that begins with *head*; Redress's own CSV if it is none of the others."""
    if head.startswith(b"PK\x03\x04"):
        return Format.MT5_REPORT
    text = head.decode(utf_16(head) or "utf-8-sig", "replace")
    if any(mark in text[:2_000].lower() for mark in ("<!doctype html", "<html", "<table")):
        return Format.MT5_REPORT if _is_mt5(text) else Format.MT4_STATEMENT
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    if first.upper().startswith("<DATE>\t"):
        return Format.MT5_TICKS if "<BID>" in first.upper() else Format.MT5_BARS
    if is_dukascopy(first):
        return Format.DUKASCOPY_TICKS
    if HISTDATA_TICK(first):
        return Format.HISTDATA_TICKS
    if HISTDATA_BAR(first):
        return Format.HISTDATA_BARS
    if MT4_BAR(first):
        return Format.MT4_BARS
    if TRUEFX(first):
        return Format.TRUEFX_TICKS
    if is_fxcm([line.strip() for line in text.lstrip("\r\n").splitlines()[:2]]):
        return Format.FXCM_TICKS
    return Format.TICKS if tick_columns(first) or bare_columns(first) else Format.CSV


def _is_mt5(page: str) -> bool:
    """Whether a page is a report of MT5. Those of MT4 are in English, whatever the terminal speaks."""
    if re.search(r"closed transactions:|open trades:", page, re.IGNORECASE):
        return False
    return bool(re.search(r'content="(?:client terminal|strategy tester)"|S\s*/\s*L', page))
