"""The command line: `terminal-server run`."""

import argparse
import gc
import signal
import sys
from types import FrameType

from terminal_server import listening, secrecy


def main() -> None:
    """Run the command line; exit status 2 for wrong usage or settings."""
    arguments = sys.argv[1:]
    if arguments[:1] != ["run"] or {"-h", "--help"} & set(arguments):
        _explain(arguments)
    # As process 1 of a container a signal without a handler is ignored: stop is heard from the first moment.
    signal.signal(signal.SIGTERM, _leave)
    early, rest = _early_parser().parse_known_args(arguments)
    keys = secrecy.take_keys(early.api_key)
    secrecy.close_process_to_others()

    # Before the long imports: who comes meanwhile, the kubelet's first probe above all, waits for the answer
    # instead of being refused and coming again a second later.
    listener = listening.listen(early.host, early.port)

    # What is imported stays: looking for garbage in it again and again would take a tenth of the start.
    gc.disable()

    # Imported late: the program may just have started itself again.
    from terminal_server import server  # noqa: PLC0415

    known = {"host": early.host, "port": early.port, "api_key": keys or None}
    sys.exit(server.run(rest, {name: value for name, value in known.items() if value is not None}, listener))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _explain(arguments: list[str]) -> None:
    # Imported late, as it knows every setting.
    from terminal_server import options  # noqa: PLC0415

    options.given(arguments)


def _early_parser() -> argparse.ArgumentParser:
    """What has to be known before everything else; what is left is understood later."""
    parser = argparse.ArgumentParser(prog="terminal-server run", allow_abbrev=False, add_help=False)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--api-key", action="append", default=[])
    return parser
