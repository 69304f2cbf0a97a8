"""The documents say what is so."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from catalog_app.settings import Settings as CatalogSettings
from profile_app.settings import Settings as ProfileSettings
from reco_app.events.contracts import EVENT_TYPES, RejectionCode
from reco_app.serving import openapi
from reco_app.settings import Settings as RecoSettings
from runtime.edge.settings import Settings as RouterSettings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements/*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
SETTINGS = (CatalogSettings, ProfileSettings, RecoSettings, RouterSettings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = set(re.findall(r"MULTIRECO_[A-Z_]+", (ROOT / "docs/configuration.md").read_text()))
    fields = {field for settings in SETTINGS for field in settings.model_fields}
    assert documented - {"MULTIRECO_"} == {f"MULTIRECO_{field.upper()}" for field in fields}


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= targets


def test_every_role_of_the_image_is_explained() -> None:
    entrypoint = (ROOT / "deploy/entrypoint.sh").read_text()
    roles = re.search(r"entrypoint\.sh ([a-z|]+)", entrypoint)
    assert roles is not None
    explained = set(re.findall(r"^\| `([a-z]+)` \|", (ROOT / "docs/deploy.md").read_text(), re.M))
    assert explained == set(roles[1].split("|"))


def test_every_type_of_event_and_every_reason_to_reject_one_is_explained() -> None:
    sent, _, _ = (ROOT / "docs/events.md").read_text().partition("## What is stored")
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", sent, re.M))
    assert explained == {*EVENT_TYPES, *get_args(RejectionCode)}


def test_the_scope_of_every_call_that_takes_a_key_is_told() -> None:
    page = (ROOT / "docs/keys.md").read_text()
    told = set(re.findall(r"^\| `([A-Z]+) (/\S+)` \| `([a-z]+)`", page, re.M))
    taken = {
        (method.upper(), path, scope)
        for path, item in json.loads(openapi.document())["paths"].items()
        for method, operation in item.items()
        for way in operation.get("security", [])
        for scope in way.get("key", [])
    }
    assert told == taken
