"""What msgspec says of a body that does not fit, in words for whoever sent it."""

import re
from collections.abc import Callable, Mapping, Sequence

from runtime.problems import FieldError, Problem

LONGEST_QUOTE = 60  # characters that are repeated of what was sent
_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "datetime": "a time such as 2026-11-22T09:30:00Z",
    "null": "null",
}


def not_json(error: Exception) -> Problem:
    """The problem of a body that could not be read at all."""
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        why = "some of its bytes are no UTF-8"
    else:
        why = _PLACE.sub("", str(error))
    return Problem("malformed-json", f"The body is not JSON in UTF-8: {why}.")


def field_error(
    message: str, *, patterns: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> FieldError:
    """Turn “… - at `$.items[3].event_type`” into a JSON pointer and a sentence.

    `patterns`: regular expression → what it asks for; `known`: field → the values that it takes.
    """
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    pointer = _pointer(place["path"]) if place else ""
    for form, words in _FORMS:
        if found := form.fullmatch(said):
            return words(pointer, found)
    if said.startswith("Invalid enum value "):
        return FieldError(pointer, _unknown_value(said, pointer, known))
    for pattern, asked in patterns.items():
        if repr(pattern) in said:
            return FieldError(pointer, f"{asked}.")
    return FieldError(pointer, f"{said.replace('`', '')}.")


def _pointer(path: str) -> str:
    """`.items[3].event_type` → `/items/3/event_type`; our names need no escaping."""
    return re.sub(r"\[([^\]]+)\]", r"/\1", path).replace("...", "*").replace(".", "/")


def _unknown_field(pointer: str, found: re.Match[str]) -> FieldError:
    name = found["name"]
    escaped = name.replace("~", "~0").replace("/", "~1")
    return FieldError(f"{pointer}/{escaped}", f"There is no field “{_cut(name)}”.")


def _missing_field(pointer: str, found: re.Match[str]) -> FieldError:
    return FieldError(f"{pointer}/{found['name']}", "This field is required.")


def _wrong_kind(pointer: str, found: re.Match[str]) -> FieldError:
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in found["wanted"].split(" | "))
    given = _KINDS.get(found["given"], found["given"])
    given = "fractional" if found["given"] == "float" and "int" in found["wanted"] else given
    return FieldError(pointer, f"This must be {wanted}; it is {given}.")


def _out_of_bounds(pointer: str, found: re.Match[str]) -> FieldError:
    bound = found["bound"].removesuffix(".0")
    side = "or more" if found["side"] == ">=" else "or less"
    return FieldError(pointer, f"This must be {bound} {side}.")


def _wrong_length(pointer: str, found: re.Match[str]) -> FieldError:
    bound = int(found["bound"])
    one, many = ("character", "characters") if found["kind"] == "str" else ("entry", "entries")
    side = "at least" if found["side"] == ">=" else "at most"
    return FieldError(pointer, f"This must have {side} {bound} {one if bound == 1 else many}.")


def _no_time(pointer: str, found: re.Match[str]) -> FieldError:
    return FieldError(pointer, "A time is written with its zone, as 2026-11-22T09:30:00Z.")


def _unknown_value(said: str, pointer: str, known: Mapping[str, Sequence[str]]) -> str:
    value = _cut(said.removeprefix("Invalid enum value ")[1:-1])
    field = next((part for part in reversed(pointer.split("/")) if not part.isdigit()), "")
    taken = f" Known: {', '.join(known[field])}." if field in known else ""
    return f"“{value}” is not known here.{taken}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


_FORMS: Sequence[tuple[re.Pattern[str], Callable[[str, re.Match[str]], FieldError]]] = [
    (re.compile(form, re.DOTALL), words)
    for form, words in (
        (r"Object contains unknown field `(?P<name>.*)`", _unknown_field),
        (r"Object missing required field `(?P<name>.*)`", _missing_field),
        (r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>\w+)`", _wrong_kind),
        (r"Expected `(?:int|float)` (?P<side>[<>]=) (?P<bound>[-\d.e+]+)", _out_of_bounds),
        (r"Expected `(?P<kind>\w+)` of length (?P<side>[<>]=) (?P<bound>\d+)", _wrong_length),
        (r"Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone.*", _no_time),
    )
]
