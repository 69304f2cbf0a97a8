"""The only reader of the environment in the profile component."""

from functools import cache

from pydantic import SecretStr

from runtime.settings import RuntimeSettings, read


class Settings(RuntimeSettings):
    profile_database_url: SecretStr
    """Where the profiles are kept: postgresql://user:password@host:port/database."""


@cache
def current() -> Settings:
    """The settings of this process."""
    return read(Settings)
