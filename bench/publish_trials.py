"""`python -m bench.publish_trials FOLDER COUNT SEED`: what a publish that goes wrong leaves.

Each trial publishes a small but whole release beside a good one, by the code of training, in a
process that is killed (SIGKILL) at a random moment or before a random call; or the release or the
pointer is damaged afterwards. Then a serving process's own code, at its start or in the middle of
its work, must answer from the right release exactly as that one is known to answer.
"""

import logging
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import django

django.setup()

from bench import small  # noqa: E402  # what follows reads Django's settings
from reco_app.engine import release  # noqa: E402
from reco_app.engine.index import Index  # noqa: E402
from reco_app.engine.model import Model  # noqa: E402
from reco_app.serving import live, releases, rules, shelf  # noqa: E402
from reco_app.serving.cards import Cards  # noqa: E402


class Publisher(NamedTuple):
    """Publishes one of two indices in turn; seconds and calls are those of one publish."""

    folder: Path
    indices: list[Index]
    answers: list[small.Answers]
    seconds: float = 0.0
    calls: int = 0

    def publish(self, number: int) -> str:
        return small.publish(self.folder, self.indices[number % 2], number)


class Aftermath(NamedTuple):
    """What may be served after a trial, and what is good to go on from."""

    may_serve: set[str | None]
    good: str


Fault = Callable[[Publisher, str, int, random.Random], Aftermath]


def main(folder: Path, count: int, seed: int) -> None:
    """Writes how many of the trials ended with something else than a good release."""
    logging.disable()  # each damage is logged where it is found
    chance = random.Random(seed)
    publisher = _measured(folder)
    good, bad = publisher.publish(0), 0
    for number in range(1, count + 1):
        if chance.random() < 0.5:
            _start_again()
        fault = chance.choice(FAULTS)
        after = fault(publisher, good, number, chance)
        if wrong := _wrong(publisher, after.may_serve):
            bad += 1
            sys.stderr.write(f"trial {number}, {fault.__name__}: {wrong}\n")
        model = live.current().model
        good = after.good if wrong or model is None else model.version
        _clear(folder, good)
    sys.stdout.write(str(bad))


def killed_at_a_moment(
    publisher: Publisher, good: str, number: int, chance: random.Random
) -> Aftermath:
    child = _publishing(publisher, number)
    time.sleep(chance.uniform(0, 1.2 * publisher.seconds))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _as_the_pointer_says(publisher)


def killed_before_a_call(
    publisher: Publisher, good: str, number: int, chance: random.Random
) -> Aftermath:
    os.waitpid(_publishing(publisher, number, calls=chance.randrange(publisher.calls)), 0)
    return _as_the_pointer_says(publisher)


def damaged(publisher: Publisher, good: str, number: int, chance: random.Random) -> Aftermath:
    made = publisher.publish(number)
    return _damaged(publisher, good, made, chance, (_flip, _cut, _remove))


def damaged_in_use(
    publisher: Publisher, good: str, number: int, chance: random.Random
) -> Aftermath:
    made = publisher.publish(number)
    releases.follow_release()
    return _damaged(publisher, good, made, chance, (_flip,))


FAULTS: tuple[Fault, ...] = (
    killed_at_a_moment,
    killed_before_a_call,
    damaged,
    damaged_in_use,
)


def _as_the_pointer_says(publisher: Publisher) -> Aftermath:
    named = release.live_version(publisher.folder)
    return Aftermath({named}, named or "")


def _publishing(publisher: Publisher, number: int, calls: int | None = None) -> int:
    """A process that publishes; it kills itself before its `calls`-th call of compiled code."""
    child = os.fork()
    if not child:
        if calls is not None:
            sys.setprofile(_killer(calls))
        publisher.publish(number)
        os._exit(0)
    return child


def _killer(calls: int) -> Callable[[object, str, object], None]:
    left = calls

    def count(_frame: object, event: str, _called: object) -> None:
        nonlocal left
        left -= event == "c_call"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def _damaged(
    publisher: Publisher,
    good: str,
    made: str,
    chance: random.Random,
    ways: tuple[Callable[[Path, random.Random], None], ...],
) -> Aftermath:
    """One file of the release or, now and then, the pointer: then either release is right."""
    files = sorted(release.release_path(publisher.folder, made).iterdir())
    chosen = chance.choice([*files, publisher.folder / release.LIVE])
    chosen.chmod(0o644)
    chance.choice(ways)(chosen, chance)
    return Aftermath({good, made} if chosen.name == release.LIVE else {good}, good)


def _flip(path: Path, chance: random.Random) -> None:
    content = path.read_bytes() or b"0"
    place = chance.randrange(len(content))
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([content[place] ^ 1 << chance.randrange(8)]))


def _cut(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    os.truncate(path, chance.randrange(size) if size else 1)


def _remove(path: Path, _: random.Random) -> None:
    path.unlink()


def _wrong(publisher: Publisher, may_serve: set[str | None]) -> str:
    """What is wrong with what a serving process now answers; empty if nothing is."""
    releases.follow_release()
    model = live.current().model
    if model is None:
        return f"nothing is served: {releases.trouble()}"
    if model.version not in may_serve:
        return f"{model.version} is served instead of {may_serve}"
    if small.answers(model) != publisher.answers[model.manifest["number"] % 2]:
        return f"{model.version} answers otherwise than it was made to"
    return ""


def _start_again() -> None:
    """Forget all that a process learns after its start."""
    live.change(lambda _: live.state_of(None, shelf.empty(), rules.NOTHING, Cards()))
    releases.start_again()


def _clear(folder: Path, good: str) -> None:
    if release.live_version(folder) != good:
        release.set_live(folder, good)
    for version in release.releases(folder):
        if version != good:
            shutil.rmtree(release.release_path(folder, version))
    for left in folder.glob(f"{release.STAGED}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _measured(folder: Path) -> Publisher:
    indices = [small.index(seed) for seed in (1, 2)]
    answers = [small.answers(Model(index, small.ITEM_IDS, small.PARAMETERS)) for index in indices]
    publisher = Publisher(folder, indices, answers)
    publisher.publish(-3)
    calls = 0

    def count(_frame: object, event: str, _called: object) -> None:
        nonlocal calls
        calls += event == "c_call"

    sys.setprofile(count)
    publisher.publish(-2)
    sys.setprofile(None)
    began = time.perf_counter()
    os.waitpid(_publishing(publisher, -1), 0)
    seconds = time.perf_counter() - began
    return publisher._replace(calls=calls, seconds=seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
