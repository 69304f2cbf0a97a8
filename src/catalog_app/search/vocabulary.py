"""Texts and the small integers that stand for them."""

from bisect import bisect_left
from collections import defaultdict

from catalog_app.search.words import stem

EXACT, PLURAL, BEGINNING = 4, 3, 2


class Vocabulary(dict[str, int]):
    """Codes 0, 1, 2 … in the order in which the texts were first asked for with `[]`."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self.texts)
        self.texts.append(text)
        return code


class WordList(Vocabulary):
    """Words that can also be looked up by what they have in common with another."""

    def __init__(self) -> None:
        super().__init__()
        self._by_stem: defaultdict[str, list[int]] = defaultdict(list)
        self._sorted: list[str] = []

    def __missing__(self, text: str) -> int:
        code = super().__missing__(text)
        self._by_stem[stem(text)].append(code)
        return code

    def alike(self, word: str) -> dict[int, int]:
        """The word, its plural and its singular: code → how near it is."""
        found = dict.fromkeys(self._by_stem.get(stem(word), ()), PLURAL)
        exact = self.get(word)
        if exact is not None:
            found[exact] = EXACT
        return found

    def beginning_with(self, start: str) -> dict[int, int]:
        """As `alike`, and all words that begin with `start`, which somebody may be typing."""
        if len(self._sorted) != len(self):
            self._sorted = sorted(self.texts)
        first = bisect_left(self._sorted, start)
        last = bisect_left(self._sorted, f"{start}\U0010ffff")
        longer = {self[word]: BEGINNING for word in self._sorted[first:last]}
        return longer | self.alike(start)
