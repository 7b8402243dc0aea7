"""The page in a real browser: on a phone, on a wide screen, by keyboard."""

import shutil

import pytest

from tests.verification.test_report import compared
from verification.scorecard import report_html

webdriver = pytest.importorskip("selenium.webdriver", reason="the browser's tests need selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver on this machine"
)

PHONE, DESK = (360, 800), (1600, 900)
SMALLEST = 10  # pixels of a letter, as small print on paper


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    page = folder / "report.html"
    page.write_text(report_html(compared(tests=("ar2", "hac"))), encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
        *("disable-background-networking", "disable-component-update"),
        f"user-data-dir={folder / 'profile'}",
    ):
        options.add_argument(f"--{flag}")
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        driver.get(page.as_uri())
        yield driver


def resized(browser, size):
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_off_the_side_and_every_letter_can_be_read(browser, size):
    resized(browser, size)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= size[0]
    smallest = browser.execute_script(
        """const sizes = [...document.querySelectorAll("p, td, th, text, label, dd")]
             .filter(e => e.getClientRects().length && e.textContent.trim())
             .map(e => { const svg = e.closest("svg");
               const scale = svg && svg.viewBox.baseVal.width
                 ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
               return parseFloat(getComputedStyle(e).fontSize) * scale; });
           return Math.min(...sizes);"""
    )
    assert smallest >= SMALLEST


def test_keys_go_from_cell_to_cell_and_tell_n(browser):
    resized(browser, DESK)
    tip = "return document.getElementById('tip').textContent"
    block = browser.find_element("css selector", ".block svg")
    block.send_keys("\ue015")  # arrow down
    block.send_keys("\ue014")  # arrow right
    text = browser.execute_script(tip)
    assert text.startswith("geopotential, 500 hPa, 2 d")
    assert "difference −10 %, 95 %: −11 to −9 %" in text
    assert "ar2: p = 0.001" in text
    assert text.endswith("n = 729")


def test_a_region_is_a_click_away(browser):
    resized(browser, DESK)

    def shown():
        return browser.execute_script(
            "return [...document.querySelectorAll('.block')].filter(b => !b.hidden)"
            ".map(b => b.dataset.region)"
        )

    assert shown() == ["n.hem"]
    browser.execute_script("document.querySelector('input[value=europe]').click()")
    assert shown() == ["n.hem", "europe"]


def test_the_page_asks_the_network_for_nothing_and_has_no_errors(browser):
    fetched = browser.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
        ".filter(name => !name.startsWith('data:'))"
    )
    assert fetched == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
