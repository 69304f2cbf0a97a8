import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.training import service, store

Shop = Callable[..., None]
SCRIPT = """
import os, signal, sys
import django
django.setup()
from datetime import UTC, datetime
from reco_app.engine import release
from reco_app.training import service, store
where = getattr(release, sys.argv[1])
setattr(release, sys.argv[1], lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
service.train(now=datetime.now(UTC), report=lambda *_: None)
"""


@pytest.mark.parametrize("step", ["save", "publish", "set_live"])
def test_a_trainer_killed_at_any_step_leaves_the_live_release_whole(
    shop: Shop, model_dir: Path, environment: dict[str, str], step: str
) -> None:
    shop(20)
    live = service.train(now=datetime.now(UTC), report=lambda step, done, total: None).version
    killed = subprocess.run([sys.executable, "-c", SCRIPT, step], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert release.live_version(model_dir) == live
    assert open_release(release.release_path(model_dir, live))
    assert [one.version for one in service.releases() if one.live] == [live]
    service.train(now=datetime.now(UTC), report=lambda step, done, total: None)
    assert not list(model_dir.glob(f"{release.STAGED}*"))


TERMINATED = """
import os, signal, sys
from reco_app import command
from reco_app.engine import release
release.publish = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)
sys.argv = ["manage.py", "train"]
command.main()
"""


def test_a_trainer_that_is_asked_to_end_leaves_nothing_behind(
    shop: Shop, model_dir: Path, environment: dict[str, str]
) -> None:
    shop(20)

    ended = subprocess.run([sys.executable, "-c", TERMINATED], env=environment, check=False)

    assert ended.returncode == 128 + signal.SIGTERM
    assert not list(model_dir.glob(f"{release.STAGED}*"))
    with store.alone():
        assert release.releases(model_dir) == []
