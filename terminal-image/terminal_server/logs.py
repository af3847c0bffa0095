"""The server's log: lines for people, or an object of JSON a line. Each names the request it belongs to."""

import logging
import sys
from contextvars import ContextVar
from typing import Literal

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request that is being answered, if one is."""

_TEXT = "%(asctime)s %(levelname)s %(message)s"


def configure(level: str, log_format: Literal["text", "json"]) -> None:
    """Send the log of the whole process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_formatter() if log_format == "json" else _Text(_TEXT))
    handler.addFilter(_name_request)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _name_request(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


class _Text(logging.Formatter):
    """For people: the request at the end, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        name = getattr(record, "request_id", "")
        return f"{text} [{name}]" if name else text


def _json_formatter() -> logging.Formatter:
    # Imported only when it is wanted.
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415

    return JsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )
