"""The settings of the router; who is trusted to forward addresses is the server's own setting,
FORWARDED_ALLOW_IPS."""

from functools import cache

from pydantic import Field

from runtime.settings import RuntimeSettings, read


class Settings(RuntimeSettings):
    """Where each component is: empty means mounted in the router's own process."""

    catalog_url: str = ""
    profile_url: str = ""
    reco_url: str = ""
    requests_per_minute: int = Field(default=2400, ge=1)
    """How many reads one network may make; a quarter of it for writes."""


@cache
def current() -> Settings:
    """The settings of this process."""
    return read(Settings)
