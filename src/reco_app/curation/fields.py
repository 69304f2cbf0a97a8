"""From the cells of a feed's row to the fields of a product, telling what is wrong by column."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from reco_app.curation import cells

ALIASES = {
    "item_id": "id",
    "link": "url",
    "image_link": "image_url",
    "product_type": "categories",
}
IGNORED = frozenset({"version", "updated_at"})  # ours, in what was exported here


class Problem(NamedTuple):
    column: str
    detail: str


class Parsed(NamedTuple):
    """`item_id` is None where the row names none that could be a product's."""

    item_id: str | None
    fields: dict[str, Any]
    problems: list[Problem]


def parse(row: Mapping[str, Any], *, google: bool, currency: str) -> Parsed:
    """Fields by their names in the model.

    A column that is absent leaves its field as it is, and so does an empty cell where a product
    must have a value; an empty cell of another column clears its field.
    """
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    problems: list[Problem] = []
    for column, value in row.items():
        name = ALIASES.get(column, column)
        try:
            if name in cells.PARSERS:
                fields[name] = cells.PARSERS[name](value, currency)
            elif name.startswith("attributes.") or (google and name not in IGNORED):
                attributes |= cells.attribute(name.removeprefix("attributes."), value)
            elif name not in IGNORED:
                raise cells.Wrong(f"unknown; an attribute's column is named attributes.{column}")
        except cells.Wrong as wrong:
            problems.append(Problem(column, str(wrong)))
    if attributes:
        fields["attributes"] = {**fields.get("attributes", {}), **attributes}
    if "id" not in row and "item_id" not in row:
        problems.append(Problem("id", "missing"))
    given = {name: value for name, value in fields.items() if value is not cells.NOT_GIVEN}
    return Parsed(given.pop("id", None), given | {"currency": currency}, problems)
