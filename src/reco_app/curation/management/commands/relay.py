import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from reco_app import settings
from reco_app.curation import relay
from runtime import logs


class Command(BaseCommand):
    help = "Carry changed products to the catalogue service until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        logs.configure("relay", settings.current().log_level)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        relay.run(stop)
