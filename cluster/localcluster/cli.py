"""`cluster/cluster`: the verbs."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from typing import TYPE_CHECKING

from localcluster import backend, imagelist, settings
from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localcluster.backend import Backend

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status is 0 if it did what it says."""
    arguments = _parser().parse_args(argv)
    return guarded(lambda chosen: int(arguments.run(chosen, arguments) or 0))


def guarded(action: Callable[[Backend], int]) -> int:
    """Choose the backend and run something with it; a ClusterError is a message, not a traceback."""
    try:
        status = action(backend.choose(settings.from_environment(os.environ)))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in `status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cluster/cluster", description="A real one-node Kubernetes on this machine; see docs/cluster.md."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Callable[[Backend, argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    verb("up", _up)
    verb("down", _down)
    verb("status", _status).add_argument("--json", action="store_true", help="for programs")
    verb("load", _load).add_argument("images", nargs="+", metavar="IMAGE", help="name, or operator, terminal")
    verb("kubeconfig", _kubeconfig)
    logs = verb("logs", _logs)
    logs.add_argument("component", metavar="COMPONENT")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    verb("env", _env)
    verb("exec", _exec).add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def _up(chosen: Backend, _: argparse.Namespace) -> None:
    """Make the cluster and wait until it is ready; harmless if it is."""
    started = time.monotonic()
    chosen.up()
    status = chosen.status()
    print(f"Cluster {status.cluster} ({status.backend}) is up after {time.monotonic() - started:.1f} s.")
    print(f"  ingress    {status.url}\n  kubeconfig {status.kubeconfig}")


def _down(chosen: Backend, _: argparse.Namespace) -> None:
    """End the cluster; images and built programs are kept for the next."""
    chosen.down()


def _status(chosen: Backend, arguments: argparse.Namespace) -> int:
    """Show every component; exit status 0 only if all of them are up."""
    status = chosen.status()
    print(status.as_json() if arguments.json else status.as_text())
    return 0 if status.up else 1


def _load(chosen: Backend, arguments: argparse.Namespace) -> None:
    """Build images of this repository if needed and put them into the node."""
    for name in arguments.images:
        chosen.load(imagelist.find(name))


def _kubeconfig(chosen: Backend, _: argparse.Namespace) -> int:
    """Print the path of the administrator's kubeconfig."""
    path = chosen.kubeconfig()
    print(path)
    return 0 if path.exists() else 1


def _logs(chosen: Backend, arguments: argparse.Namespace) -> None:
    """Print the log of a component."""
    _become(chosen.logs_command(arguments.component, follow=arguments.follow))


def _env(chosen: Backend, _: argparse.Namespace) -> None:
    """Print lines for a shell: eval "$(cluster/cluster env)"."""
    print(f"export KUBECONFIG={shlex.quote(str(chosen.kubeconfig()))}")
    if programs := chosen.programs_path():
        print(f'export PATH={shlex.quote(str(programs))}:"$PATH"')


def _exec(chosen: Backend, arguments: argparse.Namespace) -> None:
    """Run a command inside the node."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise ClusterError("What should be run? cluster/cluster exec -- COMMAND ...")
    _become(chosen.exec_command(command))


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point
