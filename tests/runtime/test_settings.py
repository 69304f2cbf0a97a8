import pytest

from runtime import settings


class Example(settings.RuntimeSettings):
    database_url: str
    retention_days: int


def test_every_variable_at_fault_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MULTIRECO_DATABASE_URL", raising=False)
    monkeypatch.setenv("MULTIRECO_RETENTION_DAYS", "many")
    with pytest.raises(settings.Misconfigured) as refused:
        settings.read(Example)
    assert "MULTIRECO_DATABASE_URL: Field required" in str(refused.value)
    assert "MULTIRECO_RETENTION_DAYS: Input should be a valid integer" in str(refused.value)


def test_a_value_at_fault_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTIRECO_DATABASE_URL", "postgresql://user:password@host/name")
    monkeypatch.setenv("MULTIRECO_RETENTION_DAYS", "s3cret")
    with pytest.raises(settings.Misconfigured) as refused:
        settings.read(Example)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("short", ["", "x" * 31])
def test_a_secret_that_can_be_guessed_is_refused(
    monkeypatch: pytest.MonkeyPatch, short: str
) -> None:
    monkeypatch.setenv("MULTIRECO_SECRET_KEY", short)
    with pytest.raises(settings.Misconfigured, match="MULTIRECO_SECRET_KEY: .* 32"):
        settings.read(settings.RuntimeSettings)


def test_an_unknown_level_of_the_log_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTIRECO_LOG_LEVEL", "loud")
    with pytest.raises(settings.Misconfigured, match="MULTIRECO_LOG_LEVEL: .*'WARNING'"):
        settings.read(settings.RuntimeSettings)
