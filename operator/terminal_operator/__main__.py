"""The command: ``terminal-operator run --config FILE``."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from terminal_operator import __version__
from terminal_operator.app import run_operator
from terminal_operator.health import PORT
from terminal_operator.logs import configure_logs
from terminal_operator.settings import load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 2 for settings that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(options.config)
    except (OSError, ValueError) as error:
        print(f"terminal-operator: settings: {error}", file=sys.stderr)  # noqa: T201 - a command's own error
        return 2
    configure_logs(settings.log_level, settings.log_format)
    asyncio.run(run_operator(settings, health_port=options.health_port))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="terminal-operator", description="Gives each user one private shell."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the operator in the current cluster")
    configured = os.environ.get("TERMINAL_OPERATOR_CONFIG")
    run.add_argument(
        "--config",
        type=Path,
        default=Path(configured) if configured else None,
        help="settings file (or TERMINAL_OPERATOR_CONFIG); without one every setting has its default",
    )
    run.add_argument("--health-port", type=int, default=PORT, help="port of /healthz, /readyz and /metrics")
    return parser


if __name__ == "__main__":
    sys.exit(main())
