"""Descriptors that are closed in the end, however that comes."""

import os
from types import TracebackType
from typing import Self


class Descriptors:
    """Some descriptors; the end of the block closes them, unless somebody else has them by then."""

    def __init__(self) -> None:
        self._held: list[int] = []

    def add(self, descriptor: int) -> int:
        """Take one, and return it."""
        self._held.append(descriptor)
        return descriptor

    def keep(self) -> None:
        """Leave all to somebody else, who closes them."""
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self._held:
            os.close(descriptor)
