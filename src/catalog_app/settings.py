"""The only reader of the environment in the catalogue component."""

from functools import cache

from pydantic import SecretStr

from runtime.settings import RuntimeSettings, read


class Settings(RuntimeSettings):
    mongodb_url: SecretStr
    """Where the read model is kept: mongodb://host:port/database?options; the database is
    `catalog` where the address names none."""


@cache
def current() -> Settings:
    """The settings of this process."""
    return read(Settings)
