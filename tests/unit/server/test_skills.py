"""Skills when the disk does not answer."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal_server.skills import folders, skills
from terminal_server.skills.folders import Signatures
from terminal_server.skills.skills import Skills, SlowDiskError

from tests.contract.running import until

LOOK = folders.look


class Disk:
    """A disk that can stop answering."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.hangs_looking = True

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Not answer inside the block."""
        self.answers.clear()
        with pytest.MonkeyPatch.context() as impatient:
            impatient.setattr(skills, "_SECONDS", 0.2)
            try:
                yield
            finally:
                self.answers.set()

    def look(self, home: Path) -> Signatures:
        """Look when there is an answer."""
        self.asked += 1
        if self.hangs_looking:
            self.answers.wait()
        return LOOK(home)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(folders, "look", made.look)
    monkeypatch.setattr(skills, "_SECONDS", 20)
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    file = tmp_path / ".agents/skills/known/SKILL.md"
    file.parent.mkdir(parents=True)
    file.write_text("---\ndescription: Known.\n---\n")
    return tmp_path


async def test_what_was_known_last_is_the_answer_and_one_thread_waits(home: Path, disk: Disk) -> None:
    known = Skills(home)
    first = await known.listed()
    assert b'"known"' in first
    with disk.hanging():
        answers = [await known.listed() for _ in range(3)]
    assert answers == [first] * 3
    assert disk.asked == 2


async def test_a_disk_that_answers_again_is_asked_again(home: Path, disk: Disk) -> None:
    known = Skills(home)
    with disk.hanging():
        assert await known.listed() == b"[]"
    await until(lambda: known._looking is None, "the disk answered")  # noqa: SLF001 - what one thread waits for
    assert b'"known"' in await known.listed()


async def test_a_skill_that_cannot_be_read_in_time_is_said_to_be(
    home: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Skills(home)
    await known.listed()
    monkeypatch.setattr(folders, "content", lambda _: disk.answers.wait())
    with disk.hanging():
        disk.hangs_looking = False
        with pytest.raises(SlowDiskError):
            await known.read("known")


async def test_many_who_ask_at_once_have_the_same_answer(home: Path, disk: Disk) -> None:
    known = Skills(home)
    answers = await asyncio.gather(*(known.listed() for _ in range(20)))
    assert len(set(answers)) == 1
    assert disk.asked == 20
