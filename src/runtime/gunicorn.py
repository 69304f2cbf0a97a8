"""gunicorn's own lines, as everybody's."""

from gunicorn import glogging

from runtime import logs


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn ships no types
    """For gunicorn's option `--logger-class`."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        logs.adopt()
