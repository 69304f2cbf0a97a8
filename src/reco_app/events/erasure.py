"""What was deleted in PostgreSQL leaves training's files too, without waiting for a training."""

import os
from datetime import date, datetime, timedelta
from pathlib import Path

from reco_app.events import days, export, forgetting

LATE = timedelta(minutes=10)  # a file may be written from what was read before it


def cleanse(folder: Path, *, now: datetime) -> int:
    """Write those files anew that hold events of forgotten sessions; returns how many.

    They keep their names, for a training may be reading them; the next one names them anew. Of
    days that have expired nothing can be told: their keys are gone.
    """
    forgotten_at = forgetting.last_at()
    if forgotten_at is None:
        return 0
    with days.exporting():
        stored = set(days.stored())
        looked_at = [
            file
            for file in sorted(folder.glob("*.parquet"))
            if _written_before(file, forgotten_at) and _day(file) in stored
        ]
        return sum(_cleansed(file, now=now) for file in looked_at)


def _written_before(file: Path, moment: datetime) -> bool:
    return file.stat().st_mtime < (moment + LATE).timestamp()


def _day(file: Path) -> date:
    return date.fromisoformat(file.name.partition(".")[0])


def _cleansed(file: Path, *, now: datetime) -> bool:
    """Whether the file had to be written anew; it counts as looked at in any case."""
    events, newest_id = map(int, file.name.split(".")[1].split("-"))
    left = days.count(_day(file), until=newest_id) or days.Contents(_day(file), 0, newest_id)
    if left.events == events:
        os.utime(file, (now.timestamp(), now.timestamp()))
        return False
    export.write(file.parent, left)
    (file.parent / left.file_name).replace(file)
    return True
