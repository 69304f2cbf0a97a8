"""The profile service is told what the live release says of tastes, and again until it knows."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.settings import current
from reco_app.training import clients, snapshot, tastes

TOLD = "tastes"  # the file of the model store that names the release whose tastes were told


def share(*, report: Callable[[str, int, int], None]) -> None:
    """Give preferences and named tastes to the profile service, unless it has them already.

    Raises rest.Unavailable: it then keeps its last state, and the next call tries again.
    """
    model_dir = current().model_dir
    version = release.live_version(model_dir)
    told = model_dir / TOLD
    if version is None or (told.exists() and told.read_text() == version):
        return
    folder = release.release_path(model_dir, version)
    model, known = open_release(folder), tastes.labels(snapshot.read(folder))
    preferences = tastes.preferences(model.index, known, model.item_ids)
    batches = iter(lambda: list(islice(preferences, clients.PREFERENCES_A_CALL)), [])
    report("putting preferences", 0, 1)
    here = copy_context()  # with this trace
    with ThreadPoolExecutor(1) as puts:
        under_way: Future[None] | None = None
        for batch in batches:
            if under_way:  # this batch was counted meanwhile
                under_way.result()
            under_way = puts.submit(here.run, clients.put_preferences, batch)
        if under_way:
            under_way.result()
    report("putting preferences", 1, 1)
    if mined := tastes.profiles(model.index, known, current().currency):
        clients.put_profiles(mined)
        for slug in clients.mined_slugs() - {profile["slug"] for profile in mined}:
            clients.delete_profile(slug)
    told.write_text(version)
