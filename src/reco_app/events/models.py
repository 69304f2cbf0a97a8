"""What shoppers did, without who they were.

No row holds an address, an agent, a referrer or a raw session id. A session id is stored as a keyed
hash; its key lives one day and is destroyed together with that day's rows.
"""

from django.db import models


class EventType(models.TextChoices):
    VIEW = "view"
    CLICK = "click"
    ADD_TO_CART = "add-to-cart"
    REMOVE_FROM_CART = "remove-from-cart"
    PURCHASE = "purchase"
    IMPRESSION = "impression"


class Event(models.Model):
    """One thing a shopper did with one product; rows are added and expire, and never change.

    One partition a day of `occurred_at`, with (occurred_at, event_id) for its primary key.
    """

    # The digest of what the sender named the event: of fixed size, and it repeats no free text.
    event_id = models.UUIDField(editable=False)
    session_hash = models.BigIntegerField(null=True, editable=False)
    item_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=16, choices=EventType)
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    occurred_at = models.DateTimeField()
    recommendation_id = models.CharField(max_length=512, null=True)
    position = models.PositiveSmallIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["session_hash"],
                name="events_by_session",
                condition=models.Q(session_hash__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} {self.item_id}"


class EventId(models.Model):
    """The name of an event that came in lately, so that it counts once however often it comes."""

    event_id = models.UUIDField(primary_key=True)
    received_on = models.DateField()

    def __str__(self) -> str:
        return str(self.event_id)


class ClosedDay(models.Model):
    """A day whose events have expired: only the file that training reads is left of it."""

    day = models.DateField(primary_key=True)
    file_name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.day.isoformat()


class SessionKey(models.Model):
    """The key that hashed one day's session ids: without it nobody can recognise them."""

    day = models.DateField(primary_key=True)
    secret = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return self.day.isoformat()


class ForgottenSession(models.Model):
    """A session to be forgotten, for as long as events of it may still be on their way."""

    session_hash = models.BigIntegerField(primary_key=True)
    forgotten_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.forgotten_at.isoformat()


class RejectionCount(models.Model):
    """How many events one day's intake turned away for one reason."""

    day = models.DateField()
    code = models.CharField(max_length=32)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["day", "code"], name="one_count_a_day_and_code"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.code}: {self.count}"


class RejectedEvent(models.Model):
    """An example of a rejected event, without its session, to find what the shop sends wrong."""

    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=200)
    item_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=16)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["received_at"], name="rejected_by_time"),)

    def __str__(self) -> str:
        return f"{self.code} {self.item_id}"
