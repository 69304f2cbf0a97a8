import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_app.curation.validation import placement_filter
from reco_app.serving import rules
from reco_app.serving.contracts import Filter
from tests.reco_app.serving.examples import placement

PRICES = st.one_of(
    st.decimals(allow_nan=True).map(str),
    st.decimals(0, 100, places=3).map(str),
    st.sampled_from(["1e3", "2.00000", "1e-999999", "-0", "", "two"]),
    st.integers(),
)
NAMES = st.lists(st.sampled_from(["", "Home", "A" * 300, "A" * 301]), max_size=2)
FILTERS = st.dictionaries(
    st.sampled_from(["category", "brand", "price_min", "price_max", "in_stock", "colour"]),
    PRICES | NAMES | st.booleans(),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(written=FILTERS)
def test_every_filter_that_staff_may_save_is_one_that_requests_may_have(written):
    try:
        placement_filter(written)
    except ValidationError:
        return
    read = rules.filter_of(placement(filter=written))
    assert list(read.category) == written.get("category", [])
    assert (read.price_min is None) == ("price_min" not in written)


@pytest.mark.parametrize(
    "written",
    [
        {"price_min": "2.12345"},
        {"price_max": "1e30"},
        {"category": [""]},
        {"category": ["Home"] * 51},
        {"brand": ["A" * 400]},
    ],
)
def test_a_filter_that_no_request_may_have_is_not_saved(written):
    with pytest.raises(ValidationError):
        placement_filter(written)


@pytest.mark.parametrize("price", ["2", "2.50", "1e3", "0"])
def test_a_price_is_written_in_any_form_of_a_decimal(price):
    placement_filter({"price_max": price})
    assert rules.filter_of(placement(filter={"price_max": price})) != Filter()


def test_a_placement_goes_without_a_filter_that_cannot_be_read(caplog):
    assert rules.filter_of(placement(filter={"price_min": "2.12345"})) == Filter()
    assert "the placement home-top is left out" in caplog.text
