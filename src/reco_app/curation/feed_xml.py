"""Google Merchant feeds in RSS or Atom: a streaming parser that refuses document types.

Without a document type there are no entities to expand and none to fetch.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from reco_app.curation.feed_rows import BadRow, Row, Unreadable

ITEMS = frozenset({"item", "entry"})
CHUNK = 65_536
LONGEST_ITEM = 1_000_000  # characters


class _DocumentType(Exception):
    """The feed declares a document type."""


class _Items:
    """The state between two calls of expat: the item being read, and those that are whole."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.whole: deque[Row | BadRow] = deque()
        self.seen = False
        self._item: dict[str, Any] | None = None
        self._line = 0
        self._path: list[str] = []
        self._characters: list[str] = []
        self._size = 0

    def _refuse(self, *_: object) -> None:
        raise _DocumentType

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2].lower()
        if self._item is not None:
            self._path.append(local)
            self._characters = []
            if local == "link" and "href" in attributes:  # Atom keeps the address in an attribute
                self._characters = [attributes["href"]]
        elif local in ITEMS:
            self._item, self._line, self._size = {}, self.parser.CurrentLineNumber, 0
            self.seen = True

    def _text(self, text: str) -> None:
        if self._path and self._size < LONGEST_ITEM:
            self._characters.append(text)
        self._size += len(text)

    def _end(self, _name: str) -> None:
        if self._item is None:
            return
        if self._path:
            name = self._path.pop()
            if not self._path:  # what is nested deeper, as in g:shipping, is no cell
                _add(self._item, name, "".join(self._characters).strip())
            self._characters = []
        else:
            self.whole.append(self._finished(self._item))
            self._item = None

    def _finished(self, item: dict[str, Any]) -> Row | BadRow:
        if self._size > LONGEST_ITEM:
            return BadRow(self._line, "item", f"longer than {LONGEST_ITEM} characters", None)
        return Row(self._line, item)


def _add(item: dict[str, Any], name: str, value: str) -> None:
    """A repeated element makes a list, as with several product types."""
    if name in item:
        known = item[name]
        item[name] = [*known, value] if isinstance(known, list) else [known, value]
    else:
        item[name] = value


def rows(stream: BinaryIO) -> Iterator[Row | BadRow]:
    """The items of a feed. Raises: Unreadable, also in the middle, where the XML breaks off."""
    items = _Items()
    while True:
        chunk = stream.read(CHUNK)
        try:
            items.parser.Parse(chunk, not chunk)
        except expat.ExpatError as trouble:
            yield from items.whole
            message = expat.ErrorString(trouble.code)
            raise Unreadable(
                f"line {trouble.lineno}, character {trouble.offset + 1}: not XML: {message}"
            ) from trouble
        except _DocumentType:
            line = items.parser.CurrentLineNumber
            raise Unreadable(f"line {line}: feeds with a document type are refused") from None
        yield from items.whole
        items.whole.clear()
        if not chunk:
            break
    if not items.seen:
        raise Unreadable("it is XML, and holds no item and no entry")
