"""Following from the start of a process to its end, and what that says of its condition."""

import gc
import logging
from collections.abc import Mapping, Sequence

from django.db import DatabaseError, InterfaceError, connections

from reco_app.serving import delta, follow, live, releases

SILENT_SECONDS = 90.0

log = logging.getLogger(__name__)


def start() -> Sequence[follow.Follower]:
    """Take the live release and the rules into use, then follow both in the background."""
    try:
        releases.follow_release()
    except Exception:  # a process's edge: without a release it answers from the catalogue
        log.exception("no release could be opened; answering from the catalogue alone")
    if live.current().model is not None:
        _catch_up()
    gc.freeze()  # what lives as long as the process need not be looked through again
    followers = follow.followers()
    for follower in followers:
        follower.start()
    return followers


def _catch_up() -> None:
    """What was hidden since the release was trained stays hidden from the first answer on."""
    try:
        follow.curation_step()
    except (DatabaseError, InterfaceError) as error:
        log.warning("PostgreSQL is away, answering from the release's snapshot: %s", error)
    finally:
        connections.close_all()


def stop(followers: Sequence[follow.Follower]) -> None:
    for follower in followers:
        follower.stop()
    gc.unfreeze()


def conditions() -> Mapping[str, str]:
    """The state of each thing answers rest on, in the words of a readiness check."""
    model, cards = live.current().model, live.current().cards
    silent = follow.silent_seconds()
    if not cards.current:
        catalogue = "unready" if model is None else "not read since the start"
    elif silent > SILENT_SECONDS:
        catalogue = f"not read for {silent:.0f} s"
    else:
        catalogue = "ok"
    return {
        "release": releases.trouble() or ("none yet" if model is None else "ok"),
        "catalogue": catalogue,
        **delta.conditions(),
    }
