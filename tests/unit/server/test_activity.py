"""What keeps a terminal awake."""

from types import SimpleNamespace

from terminal_server.activity import Activity
from terminal_server.middleware.activity import is_poll


def test_it_is_idle_since_the_last_thing_that_happened() -> None:
    clock = SimpleNamespace(now=100.0)
    activity = Activity(lambda: clock.now)
    clock.now += 5
    activity.touch()
    clock.now += 3
    assert activity.state().reasons == ()
    assert activity.state().quiet_seconds == 3


def test_the_moment_it_is_idle_since_is_the_same_whenever_one_asks() -> None:
    activity = Activity()
    since = activity.state().since
    assert {activity.state().since for _ in range(1000)} == {since}
    activity.touch()
    assert activity.state().since > since


def test_what_lasts_keeps_it_awake_and_its_end_is_the_beginning_of_idleness() -> None:
    clock = SimpleNamespace(now=100.0)
    activity = Activity(lambda: clock.now)
    with activity.busy("a command runs"), activity.busy("a command runs"), activity.busy("a cell runs"):
        clock.now += 50
        assert activity.state().reasons == ("a cell runs", "a command runs")
        assert activity.state().quiet_seconds == 0
    clock.now += 2
    assert activity.state().reasons == ()
    assert activity.state().quiet_seconds == 2


def test_what_is_asked_keeps_it_awake_for_as_long_as_it_says_so() -> None:
    clock = SimpleNamespace(now=100.0)
    activity = Activity(lambda: clock.now)
    jobs = ["a job runs"]
    activity.ask(lambda: jobs[0] if jobs else None)
    clock.now += 50
    assert activity.state().reasons == ("a job runs",)
    jobs.clear()
    clock.now += 4
    assert activity.state().reasons == ()
    # Since it was last seen to run.
    assert activity.state().quiet_seconds == 4


def test_what_is_no_moment_leaves_no_trace() -> None:
    clock = SimpleNamespace(now=100.0)
    activity = Activity(lambda: clock.now)
    clock.now += 5
    with activity.busy("a stranger calls", touch=False):
        pass
    assert activity.state().quiet_seconds == 5


def test_asking_again_and_again_is_a_poll_and_doing_something_is_not() -> None:
    for path in ("/execute", "/execute/abc/status", "/ports", "/api/terminals", "/files/list", "/activity"):
        assert is_poll("GET", path)
    for method, path in (
        ("POST", "/execute"),
        ("DELETE", "/execute/abc"),
        ("GET", "/files/read"),
        ("GET", "/proxy/3000/"),
        ("POST", "/files/cwd"),
    ):
        assert not is_poll(method, path)
