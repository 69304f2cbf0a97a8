"""The first requests that the documents show work as they stand, here on the market's products."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.shops import Shop

PRODUCTS = {
    "1082185": "pasta-3",
    "981760": "pasta-4",
    "995242": "mustard-4",
    "908531": "sausage-4",
}


def answer(script: str, shop: Shop) -> Any:
    for of_the_demo, here in {"http://127.0.0.1:8000": shop.address, **PRODUCTS}.items():
        script = script.replace(of_the_demo, here)
    told = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


def test_the_readmes_first_request_is_answered_in_full(mounted: Shop) -> None:
    (script,) = re.findall(r"```\n(curl .*?)```", Path("README.md").read_text(), re.S)

    assert len(answer(script, mounted)["items"]) == 12


def test_the_documented_events_are_answered_as_told(mounted: Shop) -> None:
    page = Path("docs/events.md").read_text()
    ((script, told),) = re.findall(r"```\n(shop=.*?)```.*?```json\n(.*?)```", page, re.S)

    assert answer(script, mounted) == json.loads(told)
