"""The browser's files: nothing missing, nothing from elsewhere, no markup made from strings."""

import re
from pathlib import Path

import pytest

from reco_app import storefront

STATIC = Path(storefront.__file__).parent / "static/storefront"
SCRIPTS = sorted(STATIC.glob("js/**/*.js"))
STYLES = sorted(STATIC.glob("css/*.css"))
SPRITE = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "drawings.svg").read_text()))


def name(path: Path) -> str:
    return str(path.relative_to(STATIC))


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_every_import_of_a_script_exists(script: Path):
    for imported in re.findall(r'from "(\.[^"]+)"', script.read_text()):
        assert (script.parent / imported).exists(), imported


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_script_makes_no_markup_from_strings(script: Path):
    found = re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text())

    assert found is None


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES, STATIC / "drawings.svg"], ids=name)
def test_a_file_names_no_other_host(path: Path):
    hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text()))

    assert hosts <= {"www.w3.org"}  # the name of SVG's namespace, which nothing fetches


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES], ids=name)
def test_a_file_is_short_enough_to_read(path: Path):
    assert len(path.read_text().splitlines()) <= 300


def test_every_drawing_that_a_category_can_get_is_in_the_sprite():
    rules = (STATIC / "js/drawings.js").read_text()
    drawings = re.findall(r'^  \["([a-z-]+)", /', rules, re.MULTILINE)

    assert len(drawings) > 40
    assert set(drawings) - SPRITE == set()


def test_every_icon_that_a_page_uses_is_in_the_sprite():
    used = set()
    for script in SCRIPTS:
        used |= {f"icon-{icon}" for icon in re.findall(r'icon\("([a-z]+)"\)', script.read_text())}
    for template in (STATIC.parents[1] / "templates").rglob("*.html"):
        used |= set(re.findall(r"drawings.svg' %}#([a-z-]+)", template.read_text()))

    assert used - SPRITE == set()
