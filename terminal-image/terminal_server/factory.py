"""Wires the parts of a server. Nothing is started here."""

from terminal_server import environment
from terminal_server.activity import Activity
from terminal_server.auth import KeyRing
from terminal_server.commands.registry import Commands
from terminal_server.commands.spill import SpillSpace
from terminal_server.commands.starting import Starter
from terminal_server.engine import STARTERS, Engine
from terminal_server.files.fetch import AddressCheck, Fetcher
from terminal_server.files.links import Links
from terminal_server.files.state import create_files
from terminal_server.lifecycle import IdleWatch, Lifecycle
from terminal_server.notebooks.notebooks import Notebooks
from terminal_server.ports.ports import Ports
from terminal_server.ports.upstream import Upstream
from terminal_server.search.searches import Searches
from terminal_server.services import Services
from terminal_server.sessions import WorkingDirectories
from terminal_server.settings import Settings
from terminal_server.shells.shells import Rules, Shells
from terminal_server.skills.skills import Skills
from terminal_server.workers import Workers


def make_services(
    settings: Settings, *, keys: KeyRing, variables: dict[str, str], may_connect: AddressCheck
) -> Services:
    """Return the parts; for the arguments see `create_app`."""
    activity = Activity()
    starters = Workers(STARTERS)
    engine = Engine(
        shell=settings.shell,
        environment=environment.for_commands(variables, settings),
        kill_grace_seconds=settings.kill_grace_seconds,
        starters=starters,
    )
    lifecycle = Lifecycle()
    shells = _make_shells(settings, engine)
    activity.ask(shells.probe)
    lifecycle.before_stop(shells.close)
    ports = Ports()
    upstream = Upstream(ports)
    files = create_files(settings, engine)
    directories = WorkingDirectories(settings.start, settings.session_seconds)
    return Services(
        settings=settings,
        keys=keys,
        activity=activity,
        lifecycle=lifecycle,
        workers=Workers(),
        starters=starters,
        directories=directories,
        engine=engine,
        starter=Starter(engine, settings.home, directories),
        commands=Commands(settings, activity),
        spills=SpillSpace(settings.spill_dir, settings.log_total_bytes),
        shells=shells,
        ports=ports,
        upstream=upstream,
        searches=Searches(engine, settings.search_seconds, [settings.spill_dir, settings.command_logs]),
        skills=Skills(settings.home),
        links=Links(),
        notebooks=Notebooks(settings, engine=engine, activity=activity, files=files),
        files=files,
        fetcher=Fetcher(
            limit_bytes=settings.fetch_limit_bytes,
            timeout_seconds=settings.fetch_timeout_seconds,
            may_connect=may_connect,
        ),
    )


def _make_shells(settings: Settings, engine: Engine) -> Shells:
    return Shells(
        engine,
        Rules(
            most=settings.max_shells,
            linger_seconds=settings.shell_linger_seconds,
            scrollback_bytes=settings.scrollback_bytes,
            term=settings.term,
            grace_seconds=settings.kill_grace_seconds,
        ),
    )


def make_idle_watch(services: Services) -> IdleWatch:
    """Return what ends the server when it is idle."""
    settings = services.settings
    return IdleWatch(
        services.lifecycle,
        services.activity,
        idle_seconds=settings.idle_seconds,
        drain_seconds=settings.drain_seconds,
        termination_file=settings.termination_file,
    )
