"""The command line: `terminal-server run`."""

import argparse
import signal
import sys
from types import FrameType

from terminal_server import listening, secrecy


def main() -> None:
    """Run the command line; exit status 2 for wrong usage or settings."""
    arguments = _parser().parse_args()
    # As process 1 of a container a signal without a handler is ignored: stop is heard from the first moment.
    signal.signal(signal.SIGTERM, _leave)
    key = secrecy.take_key(arguments.api_key)
    secrecy.close_process_to_others()
    given = {
        "host": arguments.host,
        "port": arguments.port,
        "public_url": arguments.public_url,
        "api_key": key,
    }

    # Before the long imports: who comes meanwhile, the kubelet's first probe above all, waits for the answer
    # instead of being refused and coming again a second later.
    listener = listening.listen(arguments.host, arguments.port)

    # Imported late: the program may just have started itself again.
    from terminal_server import server  # noqa: PLC0415

    sys.exit(server.run({name: value for name, value in given.items() if value is not None}, listener))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="terminal-server",
        description="A shell over HTTP, for OpenAPI tool clients.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="serve until stopped",
        allow_abbrev=False,
        description="Serve until stopped. Every setting is also an environment variable TERMINAL_SERVER_NAME.",
    )
    run.add_argument("--host", help="address to listen on (default 0.0.0.0)")
    run.add_argument("--port", type=int, help="port to listen on (default 8000)")
    run.add_argument(
        "--api-key",
        help="the key clients must send; also OPEN_TERMINAL_API_KEY and OPEN_TERMINAL_API_KEY_FILE; "
        "one is generated and printed if there is none",
    )
    run.add_argument(
        "--public-url", help="the address users see, with its path (default http://localhost:PORT)"
    )
    return parser
