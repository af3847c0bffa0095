"""Logs: one object a line for programs, one line for people, and nobody's objects in either."""

import json
import logging
from collections.abc import Iterator

import pytest
from terminal_operator.logs import configure_logs


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Put the process's logging back as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    others = {name: logging.getLogger(name).level for name in ("kopf", "kopf.objects", "aiohttp")}
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)
    for name, was in others.items():
        logging.getLogger(name).setLevel(was)


def test_a_json_line_has_time_level_logger_message_and_what_was_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", "json")
    logging.getLogger("here").info("will try again", extra={"terminal": "team/alice", "seconds": 0.2})
    line = json.loads(capsys.readouterr().err)
    assert {key: line[key] for key in ("level", "logger", "message", "terminal", "seconds")} == {
        "level": "INFO",
        "logger": "here",
        "message": "will try again",
        "terminal": "team/alice",
        "seconds": 0.2,
    }
    assert line["time"]


def test_an_error_with_its_trace_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    nothing: dict[str, str] = {}
    try:
        nothing["lost"]
    except KeyError:
        logging.getLogger("here").exception("pass failed", extra={"terminal": "team/alice"})
    (line,) = capsys.readouterr().err.splitlines()
    assert "KeyError: 'lost'" in json.loads(line)["exc_info"]


def test_a_text_line_ends_with_what_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "text")
    logging.getLogger("here").warning("event not written", extra={"terminal": "team/alice", "k8s_ref": {}})
    line = capsys.readouterr().err.rstrip("\n")
    assert line.endswith("WARNING here: event not written terminal='team/alice'")


def test_a_line_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning", "text")
    logging.getLogger("here").info("quiet")
    assert capsys.readouterr().err == ""


def test_the_framework_never_logs_objects_whatever_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", "text")
    logging.getLogger("kopf.anything").debug("the whole object")
    logging.getLogger("kopf.objects").info("an event of a Secret")
    assert capsys.readouterr().err == ""
