from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reco_app.training import timetable


class Command(BaseCommand):
    help = "Take tasks off Celery's timetable, where something else runs them at their times."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without", nargs="+", required=True, choices=sorted(timetable.TIMES), metavar="TASK"
        )

    def handle(self, *args: Any, without: list[str], **options: Any) -> None:
        timetable.leave_out(without)
        self.stdout.write(f"Off the timetable: {', '.join(without)}.")
