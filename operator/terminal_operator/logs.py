"""Structured logs: one JSON object a line, with the Terminal's key, and never a manifest or a secret."""

import logging
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _TextFormatter(logging.Formatter):
    """For people: the message, then what was given with it."""

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        text = super().format(record)
        return " ".join(
            (text, *(f"{key}={value!r}" for key, value in extra.items() if not key.startswith("k8s")))
        )


def configure_logs(level: str, log_format: Literal["json", "text"]) -> None:
    """Send the log of the whole process to stderr."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(_TextFormatter(_TEXT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The framework logs whole objects at its debug level, and a line for every event at info.
    logging.getLogger("kopf").setLevel(max(logging.INFO, logging.getLogger().level))
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
