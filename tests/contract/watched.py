"""The server, which complains of every asynchronous generator that is left to the collector of garbage.

That one ends it wherever it was called, even in the depth of another request, where nothing may be called any more.
"""

import asyncio
import runpy
import sys
from collections.abc import AsyncGenerator
from typing import Any

_HOOK = "_asyncgen_finalizer_hook"


def _watch() -> None:
    end = getattr(asyncio.BaseEventLoop, _HOOK)

    def complain(loop: asyncio.AbstractEventLoop, generator: AsyncGenerator[Any, None]) -> None:
        sys.stderr.write(f"Traceback: {generator!r} was left unfinished\n")
        end(loop, generator)

    setattr(asyncio.BaseEventLoop, _HOOK, complain)


if __name__ == "__main__":
    _watch()
    runpy.run_module("terminal_server", run_name="__main__")
