import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reco_app import settings
from reco_app.curation import lag, relay
from reco_app.events import queues
from reco_app.scraped import in_postgresql
from reco_app.training import figures
from runtime import logs, metrics, probes, tracing


class Command(BaseCommand):
    help = "Carry changed products to the catalogue service until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--listen",
            metavar="HOST:PORT",
            default="",
            help="Where to answer /livez, /readyz and /metrics; nowhere if not given.",
        )

    def handle(self, *args: Any, listen: str, **options: Any) -> None:
        logs.configure("relay", settings.current().log_level)
        tracing.configure("relay")
        if listen:
            for collector in (
                *map(in_postgresql, (lag.backlog, figures.trainings, figures.timetable)),
                queues.waiting(),
                queues.undone(),
            ):
                metrics.registry.register(collector)
            host, _, port = listen.rpartition(":")
            probes.serve(host, int(port))
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        relay.run(stop)
