"""Knows the skills, and says so at once: clients ask in every chat, and a chat waits for the answer.

Files are read again only when they have changed. When the disk does not answer in time, what was known last is
the answer, and only one thread waits for the disk, however often it is asked.
"""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from terminal_server.skills import folders

_SECONDS = 2.0


class SlowDiskError(Exception):
    """The disk does not answer in time."""


class Skills:
    """The skills of one home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._signatures: folders.Signatures = {}
        self._known: dict[str, folders.Skill | None] = {}
        self._body = b"[]"
        self._looking: asyncio.Future[bool] | None = None
        self._began = 0.0

    async def listed(self) -> bytes:
        """Return all skills, as JSON."""
        await self._refresh()
        return self._body

    async def read(self, name: str) -> dict[str, Any] | None:
        """Return a skill with what it says and the files that belong to it, or None if there is none.

        Raises:
            SlowDiskError: it could not be read in time.
        """
        await self._refresh()
        for path, skill in self._known.items():
            if skill is not None and skill.name == name:
                try:
                    async with asyncio.timeout(_SECONDS):
                        text, resources = await asyncio.to_thread(folders.content, path)
                except TimeoutError:
                    raise SlowDiskError from None
                return {**asdict(skill), "content": text, "resources": resources}
        return None

    async def _refresh(self) -> None:
        """See what has changed, if that can be seen in time."""
        if self._looking is not None and time.monotonic() - self._began > _SECONDS:
            return
        try:
            async with asyncio.timeout(_SECONDS):
                # What somebody else began to look at may have changed since.
                while self._looking is not None:
                    await asyncio.wait([self._looking])
                self._began = time.monotonic()
                self._looking = asyncio.ensure_future(asyncio.to_thread(self._look))
                self._looking.add_done_callback(self._looked)
                await asyncio.shield(self._looking)
        except TimeoutError:
            return

    def _looked(self, look: "asyncio.Future[bool]") -> None:
        self._looking = None
        # Who asked has it, or has not waited for it.
        if not look.cancelled():
            look.exception()

    def _look(self) -> bool:
        """Read what has changed; tell whether anything has. Runs in one thread at a time."""
        signatures = folders.look(self._home)
        if signatures == self._signatures:
            return False
        known = {
            path: self._known[path] if self._signatures.get(path) == signature else folders.read(path)
            for path, signature in signatures.items()
        }
        # The first of a name counts.
        named = {skill.name: skill for skill in reversed(known.values()) if skill is not None}
        listed = [skill for skill in known.values() if skill is not None and named[skill.name] is skill]
        body = json.dumps(
            [asdict(skill) for skill in listed], ensure_ascii=False, separators=(",", ":")
        ).encode()
        self._known, self._body, self._signatures = known, body, signatures
        return True
