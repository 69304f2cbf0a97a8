import pytest

from reco_app.engine.bands import price_band


@pytest.mark.parametrize(
    ("price", "band"),
    [
        (0.0, "0-0.01"),
        (0.39, "0.2-0.5"),
        (0.5, "0.5-1"),
        (1.0, "1-2"),
        (1.99, "1-2"),
        (2.0, "2-5"),
        (10.0, "10-20"),
        (1249.0, "1000-2000"),
    ],
)
def test_a_price_falls_into_the_band_that_begins_at_or_below_it(price, band):
    assert price_band(price) == band
