"""Work for somebody who may leave."""

import asyncio

import pytest
from terminal_server.clients import gone, while_there


class _Work:
    """Goes on until it is let go; its end takes a moment, as that of a process does."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = False

    async def run(self) -> str:
        try:
            self.begun.set()
            await self.may_end.wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True
        return "done"


async def test_what_is_done_before_anybody_leaves_is_returned_with_its_result() -> None:
    left = _Work()
    done = await while_there(asyncio.sleep(0, "result"), left.run())
    assert done is not None
    assert done.result() == "result"
    assert left.ended


async def test_a_failure_is_that_of_the_work_and_of_nobody_who_waits() -> None:
    async def fail() -> None:
        raise ValueError("of the work")

    failed = await while_there(fail(), asyncio.Event().wait())
    assert failed is not None
    with pytest.raises(ValueError, match="of the work"):
        failed.result()


async def test_who_leaves_ends_the_work_and_waits_for_its_end() -> None:
    work = _Work()
    assert await while_there(work.run(), work.begun.wait()) is None
    assert work.ended


async def test_neither_goes_on_when_the_caller_is_cancelled() -> None:
    work, leaving = _Work(), _Work()
    calling = asyncio.create_task(while_there(work.run(), leaving.run()))
    await asyncio.gather(work.begun.wait(), leaving.begun.wait())
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert work.ended
    assert leaving.ended


async def test_a_client_is_there_until_it_disconnects_whatever_it_sends() -> None:
    messages: list[dict[str, object]] = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    await gone(receive)
    assert messages == []
