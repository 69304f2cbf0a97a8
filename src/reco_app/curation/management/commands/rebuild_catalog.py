from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reco_app.curation import clients, rebuilding
from runtime import rest


class Command(BaseCommand):
    help = "Make the catalogue's read model anew from the record, while it serves."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rebuilt = rebuilding.rebuild(on_progress=self._tell)
        except (clients.RebuildOver, rest.Unavailable) as trouble:
            raise CommandError(f"{trouble}. Run the command again.") from trouble
        if rebuilt.refused:
            raise CommandError(
                f"The catalogue refuses {rebuilt.refused:,} products, so nothing was withdrawn. "
                "The outbox in the admin says why; mend them and run the command again."
            )
        self.stdout.write(
            f"{rebuilt.sent:,} products sent, {rebuilt.withdrawn:,} withdrawn that were not "
            "in the record."
        )

    def _tell(self, left: int) -> None:
        self.stdout.write(f"{left:,} products to send")
