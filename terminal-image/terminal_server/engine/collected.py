"""Runs a program for what it prints."""

from terminal_server.engine.engine import Engine, Program
from terminal_server.engine.pipes import Stream


async def collect(
    engine: Engine, program: Program, *, seconds: float, most_bytes: int = 0
) -> tuple[int, bytes]:
    """Run a program to its end; return its exit code, and its standard output.

    Args:
        engine: what starts it.
        program: the program.
        seconds: after this it is ended, and the exit code is negative.
        most_bytes: if it prints more than this, nothing of it is returned.

    Raises:
        SpawnError: it cannot be started.
    """
    printed = bytearray()

    def feed(stream: Stream, data: bytes) -> None:
        if stream == "stdout" and len(printed) <= most_bytes:
            printed.extend(data)

    process = await engine.launch(program, feed=feed)
    code = await process.run(seconds)
    return code, bytes(printed) if len(printed) <= most_bytes else b""
