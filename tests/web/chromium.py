"""The site in a real browser: Debian's Chromium, and axe for WCAG."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from starlette.types import ASGIApp

from tests.patience import eventually

PROGRAMS: Final = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""Debian's Chromium: without its own windows, which cost as much again as the pages, or with them."""
PROGRAM: Final = next((path for path in PROGRAMS if path.exists()), None)
PICTURES: Final = os.environ.get("PICTURES_OF_PAGES")
"""A folder for pictures of the pages, for people who want to look at them."""

_LOOKED_FOR: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "rules": {"color-contrast": {"enabled": False}},
}
# Two thirds of the time of axe goes into contrast, which is the same wherever names, classes and what else the style
# sheets tell apart are the same, with all around: each such place is looked at once in all pages.
_AXE: Final = """async ([options, known]) => {
    const {violations} = await axe.run(options);
    const step = one => [one.localName, ...one.classList].join(".") + ["type", "open", "aria-current"].map(
        name => one.hasAttribute(name) ? `[${name}=${one.getAttribute(name)}]` : ""
    ).join("") + (one.previousElementSibling ? "" : "^") + (one.nextElementSibling ? "" : "$");
    const place = one => (one.parentElement ? place(one.parentElement) : "") + ">" + step(one);
    const sheets = [...document.styleSheets].map(sheet => sheet.href).join();
    const seen = new Set(known), first = new Map();
    for (const one of document.body.querySelectorAll("*")) {
        const says = [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const at = sheets + place(one);
        if ((says || one.matches("input, select, textarea")) && !seen.has(at) && !first.has(at)) first.set(at, one);
    }
    const contrast = first.size
        ? await axe.run({include: [...first.values()]}, {runOnly: {type: "rule", values: ["color-contrast"]}})
        : {violations: []};
    return [[...violations, ...contrast.violations], [...first.keys()]];
}"""
_BROKEN: Final = r"""() => {
    const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (!document.body.matches(".desk") && texts.nextNode()) {
        const {currentNode: text} = texts;
        for (const one of text.data.matchAll(/\b(RD|IN)(-[A-Z0-9]{4,5}){3}\b/g)) {
            const range = document.createRange();
            range.setStart(text, one.index);
            range.setEnd(text, one.index + one[0].length);
            if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1)
                found.push(`${text.parentElement.localName}: ${one[0]}`);
        }
    }
    return found;
}"""
"""References that are broken into lines, on a page for customers."""
NARROW: Final = 320
"""Pixels of the narrowest window there is, and of one that is 1280 wide where all is four times as large."""
_SQUEEZED: Final = r"""() => {
    const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const {currentNode: text} = texts, one = text.parentElement, range = document.createRange();
        if (!text.data.trim() || !one.checkVisibility()) continue;
        const picture = one.closest("svg");
        if (picture) {
            const scale = picture.getBoundingClientRect().width / (picture.viewBox.baseVal.width || 1);
            if (parseFloat(getComputedStyle(one).fontSize) * scale < 9) found.push(`too small: ${text.data}`);
            continue;
        }
        range.selectNodeContents(text);
        const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top))).size;
        if (lines > 2 && range.getBoundingClientRect().width < 90 && !one.closest("td, th, .unseen"))
            found.push(`in ${lines} lines: ${text.data}`);
    }
    return found;
}"""
"""What nobody can read in a narrow window: a name in many lines of a few letters, small print in a picture."""
_SEEN: Final = set[str]()
"""The places whose contrast was found to be enough."""

needs_chromium = pytest.mark.skipif(
    PROGRAM is None,
    reason=f"there is no {PROGRAMS[0]}: install Debian's chromium-headless-shell to see the pages in a browser",
)


@asynccontextmanager
async def served(site: ASGIApp) -> AsyncIterator[str]:
    """The address at which *site* is served."""
    server = uvicorn.Server(
        uvicorn.Config(site, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    )
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (nobody tells of it)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A browser; each window of it has cookies of its own."""
    async with async_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = await playwright.chromium.launch(executable_path=str(PROGRAM), args=options)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(browser: Browser, url: str, language: str = "zh-CN", **options: Any) -> AsyncIterator[Page]:
    """A window of a visitor who reads *language*."""
    context: BrowserContext = await browser.new_context(locale=language, base_url=url, **options)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def look(page: Page, name: str, widths: Sequence[int] = (320, 1200), *, axe: bool = True) -> None:
    """Find no fault with the page: by axe, and that nothing sticks out at the sides where the window is narrow.

    Nor is a reference broken that customers read.

    What axe finds is in the structure and the colours, which no language changes: once for each page is enough.
    """
    if axe:
        await page.evaluate(Axe().axe_script)
        violations, places = await page.evaluate(_AXE, [_LOOKED_FOR, list(_SEEN)])
        wrong = [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in violations]
        assert not wrong, f"{name}: {wrong}"
        _SEEN.update(places)
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.wait_for_selector("main")  # a page that changes by itself may be loading anew
        # While it is laid out anew it may stick out for a moment.
        fits = partial(page.evaluate, "document.documentElement.scrollWidth <= window.innerWidth")
        await eventually(fits, f"{name}: wider than {width} px", within=3)
        squeezed = await page.evaluate(f"({_SQUEEZED})()") if width <= NARROW else []
        assert not squeezed, f"{name} at {width} px: {squeezed}"
        whole = partial(page.evaluate, f"({_BROKEN})().length === 0")
        await eventually(whole, f"{name}: a reference is broken at {width} px", within=3)
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
