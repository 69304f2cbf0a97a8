"""What shoppers did, without who they were.

No row holds an address, an agent, a referrer or a raw session id. A session id is stored as a keyed
hash; its key lives one day and is destroyed together with that day's rows.
"""

from django.contrib.postgres.indexes import BrinIndex
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
            BrinIndex(
                fields=["id"], name="events_by_number", autosummarize=True, pages_per_range=16
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


class SenderKey(models.Model):
    """The key that hashes one hour's networks and API keys; it is destroyed after that hour."""

    hour = models.DateTimeField(primary_key=True)
    secret = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return self.hour.isoformat()


class HeardEvent(models.Model):
    """What one network sent within the hour, to count it by; of no use after that, and deleted.

    The table is not logged: a crash of PostgreSQL forgets an hour's counts and no event.
    """

    sender = models.BigIntegerField()
    session_hash = models.BigIntegerField(null=True)
    item_id = models.CharField(max_length=64)
    learned = models.BooleanField()
    event_id = models.UUIDField()
    occurred_at = models.DateTimeField()
    heard_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["sender", "item_id"], name="heard_by_sender"),)

    def __str__(self) -> str:
        return self.item_id


class KeyTally(models.Model):
    """How many events one API key's holder sent within the hour."""

    sender = models.BigIntegerField(primary_key=True)
    events = models.PositiveBigIntegerField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.events)


class QuarantineCase(models.Model):
    """Why events were set aside: one sender's, for one reason, within one hour."""

    class Reason(models.TextChoices):
        BURST = "burst", "one network, one product"
        NETWORK_EVENTS = "network-events", "too many events from one network"
        NETWORK_SESSIONS = "network-sessions", "too many sessions from one network"
        KEY_EVENTS = "key-events", "too many events by one API key"
        TOO_FAST = "too-fast", "more products looked at than anybody can"
        TOO_LONG = "too-long", "longer than any visit"

    class Verdict(models.TextChoices):
        OPEN = "open"
        RELEASED = "released"
        DROPPED = "dropped"

    reason = models.CharField(max_length=32, choices=Reason)
    item_id = models.CharField(max_length=64, blank=True)
    sender = models.BigIntegerField(null=True)  # until its hour is over
    opened_at = models.DateTimeField()
    verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.OPEN)

    class Meta:
        verbose_name_plural = "quarantine"
        constraints = (
            models.UniqueConstraint(
                fields=["sender", "reason", "item_id"], name="one_case_a_sender_and_reason"
            ),
        )

    def __str__(self) -> str:
        about = f" {self.item_id}" if self.item_id else ""
        return f"{self.get_reason_display()}{about}"


class QuarantinedEvent(models.Model):
    """An event that was acknowledged, and counts for nothing until staff release it."""

    event_id = models.UUIDField(primary_key=True)
    case = models.ForeignKey(QuarantineCase, models.CASCADE)
    session_hash = models.BigIntegerField(null=True)
    item_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=16, choices=EventType)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    occurred_at = models.DateTimeField()
    recommendation_id = models.CharField(max_length=512, null=True)
    position = models.PositiveSmallIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["session_hash"],
                name="quarantined_by_session",
                condition=models.Q(session_hash__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} {self.item_id}"


class ReleasedSession(models.Model):
    """A session that staff let count, however fast or long it is, for as long as it may go on."""

    session_hash = models.BigIntegerField(primary_key=True)
    released_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.released_at.isoformat()


class DeadLetter(models.Model):
    """A task that could not be done, taken over from the broker's queue of dead letters."""

    arrived_at = models.DateTimeField()
    queue = models.CharField(max_length=64)
    task = models.CharField(max_length=128)
    reason = models.CharField(max_length=64)
    headers = models.JSONField()
    body = models.TextField()

    def __str__(self) -> str:
        return self.task


class RecommendationSample(models.Model):
    """One answer in a hundred: what was asked for, and what was shown. No session."""

    answered_at = models.DateTimeField()
    scenario = models.CharField(max_length=64)
    release = models.CharField(max_length=64)
    request = models.JSONField()
    items = models.JSONField()

    class Meta:
        verbose_name_plural = "recommendation log"
        indexes = (models.Index(fields=["answered_at"], name="samples_by_time"),)

    def __str__(self) -> str:
        return f"{self.scenario} {self.answered_at:%Y-%m-%d %H:%M:%S}"
