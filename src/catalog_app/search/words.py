"""Words as the search sees them: folded, without accents, in any script."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:\.[0-9]+)?")
_PLURALS_IN_ES = ("ches", "shes", "xes", "sses", "oes")


def fold(text: str) -> str:
    """Lower case without accents: what is alike to a shopper becomes the same."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def words(text: str) -> list[str]:
    """The words of a text in their order; 1.5 is one word."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=65_536)
def few_words(text: str) -> tuple[str, ...]:
    """`words`, remembered: categories, brands and tags come again and again."""
    return tuple(words(text))


def stem(word: str) -> str:
    """The singular of an English plural, near enough (the S-stemmer of Harman, 1991)."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(_PLURALS_IN_ES):
        return word[:-2]
    return word.removesuffix("s")
