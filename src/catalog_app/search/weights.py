"""How much a word tells about a product, by where it stands: a search for milk means milk."""

from collections.abc import Mapping
from typing import Any

from catalog_app.search.words import few_words, words

IN_TITLE, IN_BRAND, IN_CATEGORY, IN_TAG, ABOVE_CATEGORY, IN_ATTRIBUTE, IN_DESCRIPTION = (
    10, 6, 5, 4, 3, 2, 1,
)  # fmt: skip
_WORDS_PER_PRODUCT = 200


def word_weights(document: Mapping[str, Any]) -> dict[str, int]:
    """The words of a product, each with the weight of the most telling place it stands in."""
    weights = dict.fromkeys(words(document["description"]), IN_DESCRIPTION)
    for _, value in document["attributes"]:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str):
                weights |= dict.fromkeys(few_words(part), IN_ATTRIBUTE)
    for path in document["categories"]:
        weights |= dict.fromkeys(few_words(path), ABOVE_CATEGORY)
    for tag in document["tags"]:
        weights |= dict.fromkeys(few_words(tag), IN_TAG)
    for path in document["categories"]:
        weights |= dict.fromkeys(few_words(path.rpartition(">")[2]), IN_CATEGORY)
    weights |= dict.fromkeys(few_words(document["brand"]), IN_BRAND)
    weights |= dict.fromkeys(words(document["title"]), IN_TITLE)
    if len(weights) <= _WORDS_PER_PRODUCT:
        return weights
    telling = sorted(weights, key=lambda word: (-weights[word], word))
    return {word: weights[word] for word in telling[:_WORDS_PER_PRODUCT]}
