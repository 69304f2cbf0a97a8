"""The record of what was trained; the releases themselves are files in the model store."""

from django.db import models


class Release(models.Model):
    class Status(models.TextChoices):
        READY = "ready", "ready"
        REFUSED = "refused", "refused by the gate"
        PRUNED = "pruned", "pruned"

    version = models.CharField(max_length=40, unique=True)
    trained_at = models.DateTimeField(db_index=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.READY)
    live = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    measures = models.JSONField(default=dict)
    parameters = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["live"], condition=models.Q(live=True), name="one_live_release"
            ),
        )

    def __str__(self) -> str:
        return self.version
