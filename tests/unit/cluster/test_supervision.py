"""What is started when, and what happens to a component that dies: on a clock of the test's own."""

import signal
from dataclasses import dataclass, field

import pytest
from localcluster.components import After, Component
from localcluster.supervision import HEALTHY_AFTER, LONGEST_BACKOFF, Supervision, how_it_ended

EXIT_3 = 3 << 8


@dataclass
class World:
    """The processes, conditions and clock that a supervision sees."""

    now: float = 1000.0
    held: set[After] = field(default_factory=set)
    started: list[str] = field(default_factory=list)

    def supervise(self, *components: Component) -> Supervision:
        """A supervision that sees this world."""
        return Supervision(
            components,
            start=self._start,
            holds=lambda after: after in self.held,
            last_lines=lambda component: [f"last words of {component.name}"],
            clock=lambda: self.now,
        )

    def _start(self, component: Component) -> int:
        self.started.append(component.name)
        return 100 + len(self.started)


@pytest.fixture
def world() -> World:
    return World()


ETCD = Component("etcd", ("etcd",))
PROXY = Component("proxy", ("proxy",), After.NODE)


def test_what_waits_for_nothing_starts_at_once_and_only_once(world: World) -> None:
    supervision = world.supervise(ETCD)
    assert supervision.tick()
    assert not supervision.tick()
    assert world.started == ["etcd"]


def test_what_waits_starts_when_its_condition_holds(world: World) -> None:
    supervision = world.supervise(PROXY)
    assert not supervision.tick()
    assert supervision.report()[0]["waits_for"] == "the node's registration"
    world.held.add(After.NODE)
    assert supervision.tick()
    assert supervision.report()[0]["state"] == "running"


def test_a_component_that_dies_comes_back_after_its_backoff_and_says_why(world: World) -> None:
    supervision = world.supervise(ETCD)
    supervision.tick()
    assert supervision.ended(101, signal.SIGKILL)
    assert not supervision.tick()
    report = supervision.report()[0]
    assert (report["state"], report["pid"]) == ("backoff", None)
    assert report["last_end"] == {"how": "killed by SIGKILL", "at": 1000.0, "log": ["last words of etcd"]}
    world.now += supervision.pause()
    assert supervision.tick()
    report = supervision.report()[0]
    assert (report["state"], report["restarts"], report["pid"]) == ("running", 1, 102)


def test_it_comes_back_even_if_its_condition_no_longer_holds(world: World) -> None:
    world.held.add(After.NODE)
    supervision = world.supervise(PROXY)
    supervision.tick()
    world.held.clear()
    supervision.ended(101, EXIT_3)
    world.now += supervision.pause()
    assert supervision.tick()


def test_dying_again_and_again_takes_longer_each_time_up_to_a_limit(world: World) -> None:
    supervision = world.supervise(ETCD)
    pauses = []
    for life in range(8):
        supervision.tick()
        supervision.ended(101 + life, EXIT_3)
        pauses.append(round(supervision.runs[0].due - world.now, 3))
        world.now += pauses[-1]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_BACKOFF, LONGEST_BACKOFF]


def test_a_long_life_is_forgiven(world: World) -> None:
    supervision = world.supervise(ETCD)
    for life in range(4):
        supervision.tick()
        world.now += HEALTHY_AFTER
        supervision.ended(101 + life, EXIT_3)
        assert supervision.runs[0].due - world.now == pytest.approx(0.2)
        world.now += 1


def test_an_orphan_that_ends_is_nobodys_death(world: World) -> None:
    supervision = world.supervise(ETCD)
    supervision.tick()
    assert not supervision.ended(999, 0)
    assert supervision.report()[0]["restarts"] == 0


def test_it_looks_often_only_while_something_waits(world: World) -> None:
    supervision = world.supervise(ETCD, PROXY)
    supervision.tick()
    assert supervision.pause() < 0.1
    world.held.add(After.NODE)
    supervision.tick()
    assert supervision.pause() >= 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with status 0"),
        (EXIT_3, "exited with status 3"),
        (signal.SIGTERM, "killed by SIGTERM"),
        (signal.SIGSEGV | 0x80, "killed by SIGSEGV"),
        (50, "killed by signal 50"),
    ],
)
def test_an_end_is_told_in_words(status: int, words: str) -> None:
    assert how_it_ended(status) == words
