"""Following from the start of a process to its end, and what that says of its condition."""

import gc
import logging
from collections.abc import Mapping, Sequence

from reco_app.engine.sealed import ReleaseCorrupt
from reco_app.serving import follow, live

log = logging.getLogger(__name__)


def start() -> Sequence[follow.Follower]:
    """Take the live release into use, then follow it and the catalogue in the background."""
    try:
        follow.follow_release()
    except (ReleaseCorrupt, OSError):
        log.exception("no release could be opened; answering from the catalogue alone")
    gc.freeze()  # what lives as long as the process need not be looked through again
    followers = follow.followers()
    for follower in followers:
        follower.start()
    return followers


def stop(followers: Sequence[follow.Follower]) -> None:
    for follower in followers:
        follower.stop()
    gc.unfreeze()


def conditions() -> Mapping[str, str]:
    """The state of each thing answers rest on, in the words of a readiness check."""
    state = live.current()
    known = state.cards.current or state.model is not None
    catalogue = "ok" if state.cards.current else "not read since the start"
    return {
        "release": "ok" if state.model is not None else "none yet",
        "catalogue": catalogue if known else "unready",
    }
