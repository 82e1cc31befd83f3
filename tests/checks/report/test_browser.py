"""The HTML page in a real browser: nothing is blocked or fetched, it fits a phone, everything can be read in light and dark.

Debian's chromium by playwright, without a network; the screenshots stay in `.lab/artefacts`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.finding import Report
from tests.checks.report import sample
from tests.checks.report.test_forms import html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARTEFACTS = Path(os.environ.get("MAILSRV_ARTEFACTS", "") or Path(__file__).parents[3] / ".lab" / "artefacts")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3

# For each element with text of its own: the contrast of its colour with the first ground behind it that is not transparent.
CONTRAST = """least => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return {rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1}; };
  const light = rgb => { const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (let at = e; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor);
    if (c.a > 0.99) return c.rgb; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.closest('svg')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color).rgb), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) poor.push([e.tagName, e.className, ratio.toFixed(2)]);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


def opened(browser: Any, text: str, place: Path, scheme: str, size: dict[str, int]) -> tuple[Any, list[str]]:
    """The page from a disk, and all that the browser complains about or asks for."""
    file = place / "report.html"
    file.write_text(text)
    page = browser.new_context(color_scheme=scheme, viewport=size).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.on("request", lambda request: None if request.url == file.as_uri() else heard.append(request.url))
    page.goto(file.as_uri())
    return page, heard


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("report", [sample.good(), sample.bad(), sample.hostile()], ids=["good", "bad", "hostile"])
def test_a_report_can_be_read(browser: Any, report: Report, scheme: str, size: dict[str, int], tmp_path: Path) -> None:
    page, heard = opened(browser, html(report), tmp_path, scheme, size)
    assert heard == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate(CONTRAST, LEAST_CONTRAST) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
    kept(page, f"check-{report.domain.partition('.')[0]}-{scheme}-{size['width']}.png")


def test_the_style_is_in_force_and_evidence_is_folded(browser: Any, tmp_path: Path) -> None:
    page, _ = opened(browser, html(sample.bad()), tmp_path, "light", DESK)
    assert page.evaluate("getComputedStyle(document.querySelector('.total')).fontWeight") == "700"
    assert page.evaluate("getComputedStyle(document.querySelector('polyline')).fill") == "none"
    evidence = page.locator("details.finding pre").first
    assert not evidence.is_visible()
    page.get_by_text("Evidence").first.click()
    assert evidence.is_visible()
    assert page.get_by_role("img").first.get_attribute("aria-label").startswith("Total: 100 %")


def test_many_domains_are_a_line_each_until_one_is_opened(browser: Any, tmp_path: Path) -> None:
    page, heard = opened(browser, html(sample.bad(), folded=True), tmp_path, "dark", PHONE)
    assert heard == []
    assert not page.get_by_text("TLS 1.0 is accepted").first.is_visible()
    page.locator(".domain > summary").click()
    assert page.get_by_text("TLS 1.0 is accepted").first.is_visible()


def kept(page: Any, name: str) -> None:
    """A screenshot for a person."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / name, full_page=True)
