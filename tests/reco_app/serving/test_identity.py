import msgspec
import pytest

from reco_app.serving import canonical, identity
from reco_app.serving.contracts import Filter, Request, RequestItem

TOLD = identity.Identity("2026-11-22T02:10:04Z-3f9a", 7, "home-top", 1_795_000_000, b"d" * 16)


def test_an_id_says_what_was_signed_and_fits_its_field():
    token = identity.sign(TOLD, secret=b"secret")
    assert identity.read(token, secret=b"secret") == TOLD
    assert len(token) <= 160


@pytest.mark.parametrize("place", range(len(identity.sign(TOLD, secret=b"secret"))))
def test_an_id_with_any_character_changed_is_refused(place):
    token = list(identity.sign(TOLD, secret=b"secret"))
    token[place] = "A" if token[place] != "A" else "B"
    with pytest.raises(identity.IdentityInvalid):
        identity.read("".join(token), secret=b"secret")


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "ü.ü", "x" * 512])
def test_what_is_no_id_is_refused(token):
    with pytest.raises(identity.IdentityInvalid):
        identity.read(token, secret=b"secret")


def test_an_id_of_another_installation_is_refused():
    with pytest.raises(identity.IdentityInvalid):
        identity.read(identity.sign(TOLD, secret=b"other"), secret=b"secret")


def test_requests_of_equal_meaning_have_one_digest():
    left = Request(filter=Filter(brand=("a", "b"), price_max="30"), exclude_ids=("x", "y"))
    right = Request(filter=Filter(brand=("b", "a"), price_max="30.00"), exclude_ids=("y", "x"))
    assert canonical.digest(left) == canonical.digest(right)


def test_the_session_is_no_part_of_the_digest():
    assert canonical.digest(Request(session_id="s", consent=True)) == canonical.digest(Request())


def test_the_order_of_items_is_part_of_the_digest():
    left = Request(items=(RequestItem("a"), RequestItem("b")))
    right = Request(items=(RequestItem("b"), RequestItem("a")))
    assert canonical.digest(left) != canonical.digest(right)


@pytest.mark.parametrize(("seconds", "rounded"), [(0, 0), (0.9, 0), (1, 1), (40, 32), (50, 64)])
def test_ages_are_rounded_to_powers_of_two(seconds, rounded):
    assert canonical.rounded_age(seconds) == rounded


def test_an_id_of_another_version_of_the_program_is_refused():
    payload = msgspec.msgpack.encode(("2026-11-22T02:10:04Z-3f9a", 7))
    token = f"{identity._text(payload)}.{identity._text(identity._signature(payload, b'secret'))}"
    with pytest.raises(identity.IdentityInvalid):
        identity.read(token, secret=b"secret")
