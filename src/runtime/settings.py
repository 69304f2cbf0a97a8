"""The settings every process shares; each app's own settings extend them."""

from functools import cache
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class RuntimeSettings(BaseSettings):
    """Read once from the environment; every name has the prefix MULTIRECO_."""

    model_config = SettingsConfigDict(env_prefix="MULTIRECO_", frozen=True, extra="ignore")

    secret_key: SecretStr = Field(min_length=32)
    """Signs API keys, recommendation ids and sessions; the same in every process."""
    log_level: LogLevel = "INFO"
    redis_url: str = "redis://127.0.0.1:6379/0"
    cors_origins: CommaList = ()
    """Origins whose pages may call the API from a browser, such as https://shop.example."""
    tls_dir: str = ""
    """Folder of tls.crt, tls.key and ca.crt for mutual TLS; empty: plain HTTP."""


class _LogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MULTIRECO_", extra="ignore")

    log_level: LogLevel = "INFO"


def log_level() -> LogLevel:
    """How much is logged until all settings are read; INFO where that is told wrongly."""
    try:
        return _LogSettings().log_level
    except ValidationError:
        return "INFO"


SettingsT = TypeVar("SettingsT", bound=RuntimeSettings)


class Misconfigured(SystemExit):
    """Ends the process with a message that names each variable at fault."""


def read(settings: type[SettingsT]) -> SettingsT:
    """The settings that the environment holds. Errors: Misconfigured."""
    try:
        return settings()
    except ValidationError as wrong:
        faults = [
            f"MULTIRECO_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in wrong.errors()
        ]
        raise Misconfigured("\n".join([*faults, "See docs/configuration.md."])) from wrong


@cache
def current() -> RuntimeSettings:
    """The settings of this process."""
    return read(RuntimeSettings)
