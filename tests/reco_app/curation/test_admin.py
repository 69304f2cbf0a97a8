from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User

from reco_app.curation import clients, store
from reco_app.curation.models import ApiKey, OutboxEntry, Placement, Rule
from runtime import keys, rest, settings
from tests.reco_app.serving import examples

PIN = {"kind": "pin", "target_product": "mug", "position": "1", "active": "on"}
PROFILE = {
    "slug": "gardener",
    "name": "Gardener",
    "description": "",
    "weights": {"category": {"Home > Garden": 0.7}, "brand": {}, "price_band": {}},
    "source": "mined",
    "version": 3,
    "updated_at": "2026-11-22T10:00:00Z",
}


@pytest.fixture
def member(client, db):
    """Logs in a member of staff with one role."""

    def log_in(role):
        user = User.objects.create_user(role, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def profile_service(monkeypatch):
    written = []
    monkeypatch.setattr(clients, "profiles", lambda: [PROFILE])
    monkeypatch.setattr(clients, "profile", lambda slug: PROFILE if slug == "gardener" else None)
    monkeypatch.setattr(clients, "put_profile", written.append)
    return written


def test_a_rule_made_in_the_admin_is_remembered_and_moves_the_clock(admin_client, products):
    admin_client.post("/admin/curation/rule/add/", PIN)

    (rule,) = store.all_rules()
    assert (rule.kind, rule.target_product, rule.position) == ("pin", "mug", 1)
    assert store.clock_version() == 4
    assert Rule.objects.get().history.get().history_user.username == "admin"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_category": "Home"}, "Name either a product or a category"),
        ({"target_product": ""}, "Name either a product or a category"),
        ({"position": ""}, "A pin needs a product and a position"),
        ({"position": "51"}, "less than or equal to 50"),
        ({"factor": "2"}, "A boost has a factor above 1"),
        ({"kind": "boost", "position": "", "factor": "0.5"}, "A boost has a factor above 1"),
        ({"kind": "hide"}, "Only a pin has a position"),
        ({"target_product": "", "target_category": "Home >"}, "A category is a path"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_reason(
    admin_client, products, changes, message
):
    page = admin_client.post("/admin/curation/rule/add/", PIN | changes).content.decode()

    assert message in page
    assert Rule.objects.count() == 0


def test_a_rule_cannot_end_before_it_starts(admin_client, products):
    dates = {"starts_at_0": "2026-02-01", "starts_at_1": "10:00"}
    dates |= {"ends_at_0": "2026-01-01", "ends_at_1": "10:00"}

    page = admin_client.post("/admin/curation/rule/add/", PIN | dates).content.decode()

    assert "must be later than" in page


def test_a_placement_s_filter_is_set_by_fields(admin_client, db):
    form = {"name": "Home top", "slug": "home-top", "scenario": "session", "count": "8"}
    form |= {"category": "Home\nGifts", "price_max": "30", "in_stock": "on", "active": "on"}
    form |= {"rules-TOTAL_FORMS": "0", "rules-INITIAL_FORMS": "0"}

    admin_client.post("/admin/curation/placement/add/", form)

    assert Placement.objects.get().filter == {"category": ["Home", "Gifts"], "price_max": "30.00"}
    assert store.clock_version() == 1


def test_rules_edited_inside_a_placement_move_the_clock(admin_client, products):
    placement = Placement(slug="home-top", name="Home top")
    store.save_curation(placement, user_id=None)
    form = {"name": "Home top", "slug": "home-top", "scenario": "session", "count": "8"}
    form |= {"rules-TOTAL_FORMS": "1", "rules-INITIAL_FORMS": "0"}
    form |= {f"rules-0-{name}": value for name, value in PIN.items()}

    admin_client.post(f"/admin/curation/placement/{placement.pk}/change/", form)

    assert [rule.placement for rule in store.all_rules()] == ["home-top"]
    assert store.clock_version() == 6


def test_a_deleted_rule_moves_the_clock(admin_client, products):
    rule = Rule(kind="hide", target_product_id="mug")
    store.save_curation(rule, user_id=None)

    admin_client.post(f"/admin/curation/rule/{rule.pk}/delete/", {"post": "yes"})

    assert (store.all_rules(), store.clock_version()) == ([], 5)


def test_the_preview_shows_answers_with_and_without_rules(admin_client, db, monkeypatch):
    placement = Placement(slug="home-top", name="Home top")
    store.save_curation(placement, user_id=None)
    state = examples.state(placements=store.all_placements())
    monkeypatch.setattr("reco_app.serving.live._state", state)

    page = admin_client.get(f"/admin/curation/placement/{placement.pk}/preview/")

    assert len(page.context["curated"]) == len(page.context["plain"]) == 12
    assert "Without rules" in page.content.decode()


def test_a_key_s_token_is_shown_once_and_works(admin_client, db):
    page = admin_client.post("/admin/curation/apikey/add/", {"name": "Shop", "scopes": ["import"]})

    secret = settings.current().secret_key.get_secret_value()
    key = keys.verify(page.context["token"], secret)
    assert key.scopes == {"import"}
    assert "no-store" in page["Cache-Control"]
    later = admin_client.get(f"/admin/curation/apikey/{key.id}/change/").content.decode()
    assert page.context["token"] not in later


def test_a_revoked_key_is_told_to_every_process(admin_client, db, monkeypatch):
    told = []
    monkeypatch.setattr("runtime.revocations.publish", told.extend)
    ApiKey.objects.create(key_id="k1", name="Shop", scopes=["import"])

    admin_client.post("/admin/curation/apikey/", {"action": "revoke", "_selected_action": ["k1"]})

    assert told == ["k1"]
    assert ApiKey.objects.get().revoked_at is not None


def test_a_profile_is_saved_over_the_version_that_was_read(admin_client, profile_service):
    form = {"name": "Gardeners", "category": "Home > Garden = 2\nBooks = 0.5", "version": "3"}

    answer = admin_client.post("/admin/curation/profile/gardener/change/", form)

    assert answer.status_code == 302
    assert profile_service[0]["version"] == 3
    assert profile_service[0]["weights"]["category"] == {"Home > Garden": 2.0, "Books": 0.5}


def test_a_conflict_is_told_and_keeps_what_was_typed(admin_client, profile_service, monkeypatch):
    def conflict(_profile):
        raise clients.Conflict

    monkeypatch.setattr(clients, "put_profile", conflict)
    form = {"name": "Typed", "category": "", "version": "2"}

    page = admin_client.post("/admin/curation/profile/gardener/change/", form).content.decode()

    assert "Somebody else changed this profile" in page
    assert "Typed" in page


def test_an_absent_profile_service_is_told(admin_client, profile_service, monkeypatch):
    def away():
        raise rest.Unavailable("profile", "it is away")

    monkeypatch.setattr(clients, "profiles", away)

    page = admin_client.get("/admin/curation/profile/").content.decode()

    assert "does not answer right now" in page


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("merchandiser", "/admin/curation/product/", 200),
        ("merchandiser", "/admin/curation/rule/add/", 200),
        ("merchandiser", "/admin/curation/product/import_feed/", 200),
        ("merchandiser", "/admin/curation/apikey/", 403),
        ("analyst", "/admin/curation/product/", 200),
        ("analyst", "/admin/curation/rule/add/", 403),
        ("analyst", "/admin/curation/product/import_feed/", 403),
        ("operator", "/admin/curation/apikey/add/", 200),
        ("operator", "/admin/curation/outboxentry/", 200),
        ("operator", "/admin/curation/placement/", 403),
        ("operator", "/admin/auth/user/", 403),
    ],
)
def test_a_role_opens_its_own_doors(member, role, path, status):
    assert member(role).get(path).status_code == status


def test_an_analyst_sees_a_profile_and_cannot_change_it(member, profile_service):
    analyst = member("analyst")
    path = "/admin/curation/profile/gardener/change/"

    assert "disabled" in analyst.get(path).content.decode()
    analyst.post(path, {"name": "x", "version": "3"})

    assert profile_service == []


def test_refused_entries_can_be_sent_again(admin_client, products):
    OutboxEntry.objects.update(refused="no")
    selected = {"action": "send_again", "_selected_action": ["1", "2"]}

    admin_client.post("/admin/curation/outboxentry/", selected)

    assert OutboxEntry.objects.filter(refused="").count() == 2


def test_the_dashboard_counts_what_matters(admin_client, products):
    Rule.objects.create(kind="hide", target_product_id="mug")
    Rule.objects.create(
        kind="hide", target_product_id="pan", ends_at=datetime(2020, 1, 1, tzinfo=UTC)
    )

    figures = {
        figure.label: figure.value for figure in admin_client.get("/admin/").context["figures"]
    }

    assert figures["Products shown"] == "3"
    assert figures["Rules in force"] == "1"
    assert figures["Changes on their way"] == "3"
    assert figures["Model"] == "none yet"
