"""The clients of the benchmarks get whole answers, and give up in time."""

import time
from collections.abc import Iterator

import pytest

from benchmarks import run
from benchmarks.server.comparison import Cell
from benchmarks.server.contestants import bare_application
from benchmarks.server.crowd import Crowd
from benchmarks.server.probe import probing
from benchmarks.server.running import Running, in_turns, running
from benchmarks.server.tally import Tally
from benchmarks.server.wire import AnswerReader, DeadlineError, request


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(bare_application()) as started:
        yield started


@pytest.mark.parametrize(
    "length", ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
)
def test_an_answer_is_complete_with_its_last_byte(length: str) -> None:
    sent = f"HTTP/1.1 200 OK\r\n{length}".encode()
    reader = AnswerReader()
    assert [reader.feed(bytes([byte])) for byte in sent] == [*[False] * (len(sent) - 1), True]
    assert reader.answer.status == 200
    assert reader.answer.body == b"hello"


def test_each_of_a_crowd_is_answered(server: Running) -> None:
    with Crowd(server.port, clients=20, sent=request("GET", "/health"), seconds=10) as crowd:
        assert crowd.all_at_once() > 0
        assert crowd.rate(0.2) > 0


def test_an_answer_that_is_an_error_stops_a_crowd(server: Running) -> None:
    with (
        Crowd(server.port, clients=1, sent=request("GET", "/nowhere"), seconds=10) as crowd,
        pytest.raises(RuntimeError, match="404"),
    ):
        crowd.all_at_once()


def test_health_is_asked_for_until_the_end_of_the_block(server: Running) -> None:
    with probing(server.port) as times:
        time.sleep(1)
    assert times
    assert min(times) > 0


def test_a_connection_gives_up_in_time(server: Running) -> None:
    with server.connect(0.01) as connection, pytest.raises(OSError, match=r"timed out|no complete answer"):
        connection.receive()


def test_who_failed_is_not_measured_again() -> None:
    calls = []

    def fail() -> list[float]:
        calls.append(1)
        raise DeadlineError("too slow")

    tally = Tally()
    tally.attempt("peer", fail)
    tally.attempt("peer", fail)
    assert calls == [1]
    assert tally.cells(lambda values: Cell(values[0])) == {"peer": Cell(None, "too slow")}


def test_who_has_taken_up_the_time_is_not_measured_again() -> None:
    tally = Tally(budget_seconds=0)
    tally.attempt("peer", lambda: [1.0])
    tally.attempt("peer", lambda: [2.0])
    assert tally.cells(lambda values: Cell(max(values))) == {"peer": Cell(1.0)}


def test_everybody_is_the_first_in_turn() -> None:
    order: list[str] = []
    in_turns(3, "abc", order.append)
    assert "".join(order) == "abcbcacab"


def test_every_subject_can_be_measured_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run.main(["--help"])
    printed = capsys.readouterr().out
    assert all(subject in printed for subject in run.SUBJECTS)
