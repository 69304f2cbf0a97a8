"""Prices in bands of a 1-2-5 ladder: what shoppers notice, and coarse enough to be anonymous."""

from math import floor, log10

STEPS = (1, 2, 5, 10)


def price_band(price: float) -> str:
    """The band of a price in the shop's currency, such as "2-5", "20-50" or "0.5-1"."""
    if price < 0.01:
        return "0-0.01"
    exponent = floor(log10(price) + 1e-9)
    leading = price / 10**exponent
    step = next(place for place in (2, 1, 0) if leading >= STEPS[place] - 1e-9)
    return f"{_bound(STEPS[step], exponent)}-{_bound(STEPS[step + 1], exponent)}"


def _bound(step: int, exponent: int) -> str:
    return f"{step * 10.0**exponent:.10g}"
