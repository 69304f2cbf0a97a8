"""A real browser, whose complaints fail the journey."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests import servers
from tests.shops import PASSWORD, STAFF, Shop

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", params=["mounted", "gateway"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """The two faces that browsers meet: the one process, and NGINX before one process a role."""
    started: Shop = request.getfixturevalue(request.param)
    return started


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    servers.need("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What went wrong in the browser that no assertion looks at."""
    return []


@pytest.fixture
def visitor(chromium: Browser, shop: Shop, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Opens a page of the shop as a new visitor; the journey fails on any complaint."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **options: object) -> Page:
        # Chromium takes no authority from a file; that the gateway's is right is tested elsewhere.
        context = chromium.new_context(ignore_https_errors=True, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        listen(page, shop, complaints)
        page.goto(shop.url(path))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def staff(visitor: Open) -> Page:
    """A page of the admin, logged in."""
    page = visitor("/admin/login/")
    page.fill("[name=username]", STAFF)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    return page


def listen(page: Page, shop: Shop, complaints: list[str]) -> None:
    """Note console errors, uncaught exceptions and requests to other hosts."""
    own = urlsplit(shop.address).netloc
    page.on(
        "console", lambda said: complaints.append(_words(said)) if said.type == "error" else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: complaints.append(asked.url) if _elsewhere(asked.url, own) else None,
    )


def _words(said: ConsoleMessage) -> str:
    return f"{said.text} ({said.location['url']})"


def _elsewhere(url: str, own: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.netloc != own
