"""The catalogue: product cards, search, facets and the category tree, read from MongoDB."""
