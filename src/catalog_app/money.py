"""Exact money: decimal strings on the wire, integers where it is sorted and compared."""

from decimal import Decimal

PLACES = 4
DIGITS = 12
PATTERN = rf"^[0-9]{{1,{DIGITS}}}(\.[0-9]{{1,{PLACES}}})?$"
UNIT = 10**PLACES

# Where the bands of prices begin: 0, then a 1-2-5 ladder from a hundredth to what can be said.
BAND_STARTS = (
    0,
    *(step * 10**decade for decade in range(PLACES - 2, PLACES + DIGITS) for step in (1, 2, 5)),
    10 ** (PLACES + DIGITS),
)


def units(amount: str) -> int:
    """The amount in ten-thousandths of the currency; integers sort and compare exactly."""
    return int(Decimal(amount).scaleb(PLACES))


def plain(price: int) -> str:
    """Units as a plain decimal string without needless zeros, such as 0.5 or 20."""
    text = f"{Decimal(price).scaleb(-PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
