import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reco_app.engine import release
from reco_app.engine.model import open_release
from reco_app.training import service

Shop = Callable[..., None]
SCRIPT = """
import os, signal, sys
import django
django.setup()
from datetime import UTC, datetime
from reco_app.engine import release
from reco_app.training import service
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
