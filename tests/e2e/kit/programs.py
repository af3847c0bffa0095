"""Runs programs, as a person at a shell does."""

import asyncio
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
CHART = REPOSITORY / "charts" / "terminal-operator"
EXAMPLES = REPOSITORY / "examples"


class ProgramError(Exception):
    """A program ended with another code than 0; the message is what it wrote."""


async def run(*command: str, stdin: str | None = None, within: float = 240) -> str:
    """Run a program and return what it printed.

    Raises:
        ProgramError: it failed, or took longer than `within` seconds.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate(stdin.encode() if stdin is not None else None)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise ProgramError(f"{' '.join(command)}: not done in {within:g} s") from error
    if process.returncode:
        raise ProgramError(f"{' '.join(command)}: {out.decode()}{err.decode()}")
    return out.decode()
