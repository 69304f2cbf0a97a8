"""Which answer led to an event: believed only if we signed the answer's id.

An id names no products, so that it proves an answer and not what was in it.
"""

from datetime import UTC, datetime, timedelta

from reco_app.events.contracts import CLOCK_SKEW
from reco_app.serving import identity
from reco_app.settings import current

LIVES = timedelta(days=7)  # as long as an answer can be replayed


def genuine(recommendation_id: str, *, at: datetime) -> bool:
    """Whether this is an answer of ours from the seven days before `at`."""
    secret = current().secret_key.get_secret_value().encode()
    try:
        answer = identity.read(recommendation_id, secret=secret)
        answered_at = datetime.fromtimestamp(answer.answered_at, UTC)
    except identity.IdentityInvalid:
        return False
    return answered_at - CLOCK_SKEW <= at <= answered_at + LIVES
