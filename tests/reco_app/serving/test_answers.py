import msgspec
import pytest

from reco_app.serving import answers, clients, lean, live, plain, profiles
from reco_app.serving.contracts import Request
from runtime import rest
from tests.reco_app.serving import examples
from tests.reco_app.serving.examples import product

URL = "/v1/recommendations"


@pytest.fixture(autouse=True)
def forgotten():
    answers.forget()


@pytest.fixture
def worked_out(monkeypatch):
    """The requests whose answers were worked out and not found."""
    seen = []
    encoded = plain.encoded

    def counting(request, *args, **kwargs):
        seen.append(request)
        return encoded(request, *args, **kwargs)

    monkeypatch.setattr(plain, "encoded", counting)
    return seen


async def post(client, **asked):
    response = await client.post(URL, msgspec.json.encode(asked), content_type="application/json")
    assert response.status_code == 200
    return response.content


async def test_what_was_asked_a_moment_ago_is_not_worked_out_again(shop, async_client, worked_out):
    shop()
    first = await post(async_client, items=[{"item_id": "p01"}])
    assert await post(async_client, items=[{"item_id": "p01"}]) == first
    assert len(worked_out) == 1


async def test_other_words_of_the_same_meaning_find_the_answer(shop, async_client, worked_out):
    shop()
    first = await post(async_client, items=[{"item_id": "p01"}], exclude_ids=["p02", "p03"])
    again = await post(async_client, exclude_ids=["p03", "p02"], items=[{"item_id": "p01"}])
    got = await async_client.get(f"{URL}?item=p01&exclude_ids=p02,p03")
    assert first == again == got.content
    assert len(worked_out) == 1


async def test_another_question_gets_its_own_answer(shop, async_client, worked_out):
    shop()
    one = await post(async_client, items=[{"item_id": "p01"}])
    other = await post(async_client, items=[{"item_id": "p01"}], count=5)
    assert one != other
    assert len(worked_out) == 2


async def test_a_session_finds_the_answer_of_all_and_leaves_nothing_of_itself(
    shop, async_client, worked_out
):
    shop()
    for session_id in ("one-shopper", "another-shopper"):
        await post(async_client, items=[{"item_id": "p01"}], session_id=session_id, consent=True)
    kept = [*answers._table.by_meaning.items(), *answers._table.by_wording.items()]
    assert len(worked_out) == 1
    assert len(kept) == 1
    assert "shopper" not in repr(kept)


async def test_an_answer_is_worked_out_anew_when_its_time_is_over(
    shop, async_client, worked_out, monkeypatch
):
    shop()
    await post(async_client, items=[{"item_id": "p01"}])
    clock = answers.monotonic() + 2.0
    monkeypatch.setattr(answers, "monotonic", lambda: clock)
    await post(async_client, items=[{"item_id": "p01"}])
    assert len(worked_out) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"products": [product(i, price="1.11") for i in examples.ITEM_IDS]},
        {"products": [product(i, deleted=i == "p00") for i in examples.ITEM_IDS]},
        {"rules_": [examples.rule("pin", target_product="p29", position=1)]},
        {"engine": examples.model(version="2026-11-22T01:00:00Z-next")},
    ],
    ids=["price", "hidden", "rule", "release"],
)
async def test_what_has_changed_is_seen_at_once(shop, async_client, change):
    shop()
    before = await post(async_client, items=[{"item_id": "p01"}])
    shop(**change, version=101)
    after = await post(async_client, items=[{"item_id": "p01"}])
    told = [
        (answer["items"], answer["model"]) for answer in map(msgspec.json.decode, (before, after))
    ]
    assert told[0] != told[1]


async def test_an_edited_profile_is_seen_when_it_is_read_again(
    shop, async_client, worked_out, monkeypatch
):
    shop()
    liked = lean.Profile("gift", 1, lean.Weights(category={examples.GARDEN: 1.0}))

    async def profile(slug):
        return liked

    monkeypatch.setattr(clients, "profile", profile)
    await post(async_client, profile="gift")
    clock = profiles.fresh_until("gift")
    monkeypatch.setattr(answers, "monotonic", lambda: clock)
    await post(async_client, profile="gift")
    assert len(worked_out) == 2


async def test_a_degraded_answer_is_not_given_again(shop, async_client, worked_out, monkeypatch):
    shop()

    async def away(slug):
        raise rest.Unavailable("profile", "it is not there")

    monkeypatch.setattr(clients, "profile", away)
    for _ in range(2):
        assert b'"degraded":["profile"]' in await post(async_client, profile="gift")
    assert len(worked_out) == 2


async def test_an_answer_of_a_state_that_was_replaced_meanwhile_is_not_kept(shop):
    before = shop()
    kept = answers.Kept(b"{}", b"meaning", 100, degraded=False)
    shop()
    answers.keep(kept, Request(), before)
    assert answers.meant(b"meaning") is None


async def test_an_answer_whose_state_is_replaced_while_it_is_kept_is_not_found(shop, monkeypatch):
    before = shop()
    after = examples.state()
    monkeypatch.setattr(live, "current", iter([before, *[after] * 9]).__next__)
    answers.keep(answers.Kept(b"{}", b"meaning", 100, degraded=False), Request(), before)
    assert answers.meant(b"meaning") is None


async def test_a_kept_answer_has_its_etag_and_no_body_for_who_has_it(shop, async_client):
    shop()
    first = await async_client.get(f"{URL}?item=p05")
    again = await async_client.get(f"{URL}?item=p05", headers={"If-None-Match": first["ETag"]})
    head = await async_client.head(f"{URL}?item=p05")
    assert (again.status_code, again.content) == (304, b"")
    assert (head.status_code, head["ETag"]) == (200, first["ETag"])


async def test_the_etag_is_the_same_for_an_equal_answer_of_another_time(shop, async_client):
    shop()
    first = await async_client.get(f"{URL}?item=p05")
    answers.forget()
    second = await async_client.get(f"{URL}?item=p05")
    assert second["ETag"] == first["ETag"]


async def test_answers_are_kept_within_bounds(shop, async_client, monkeypatch):
    shop()
    monkeypatch.setattr(answers, "MOST_ANSWERS", 3)
    for item_id in examples.ITEM_IDS[:6]:
        await post(async_client, items=[{"item_id": item_id}])
    table = answers._table
    assert len(table.by_meaning) == len(table.by_wording) == 3
    held = [*table.by_wording, *(kept.body for kept in table.by_wording.values())]
    assert table.size == sum(map(len, held))


async def test_no_time_is_no_cache(shop, async_client, worked_out, monkeypatch):
    shop()
    never = answers.current().model_copy(update={"answer_cache_seconds": 0.0})
    monkeypatch.setattr(answers, "current", lambda: never)
    for _ in range(2):
        await post(async_client, items=[{"item_id": "p01"}])
    assert len(worked_out) == 2
