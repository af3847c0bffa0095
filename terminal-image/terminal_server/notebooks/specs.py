"""Finds the kernels the user has: what Jupyter would find if the user started it.

The server has a Python of its own, which is none of the user's business, so nothing is looked for there. What
the user's `python3` is and has, only itself can say: it is asked.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal_server.engine import Engine, Program, SpawnError, collect

INSTALL = "install Jupyter's kernel for the terminal's python3: python3 -m pip install ipykernel"

_SYSTEM = (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))
_PROBE = """
import importlib.util, json, site, sys
found = importlib.util.find_spec("ipykernel") is not None
print(json.dumps([sys.executable, sys.prefix, site.getuserbase(), found]))
"""
_PROBE_SECONDS = 5.0
_PROBE_BYTES = 64 * 1024
_REMEMBERED_SECONDS = 60.0
_PATIENCE_SECONDS = 3.0
_NATIVE = "python3"
_NAME = re.compile(r"[a-z0-9._-]+", re.IGNORECASE)
_PYTHON = re.compile(r"python(3(\.\d+)?)?")


class NoKernelError(Exception):
    """There is no kernel at all."""


class UnknownKernelError(Exception):
    """There are kernels, but not the one that is wanted."""


@dataclass(frozen=True)
class Spec:
    """How a kernel is started."""

    name: str
    arguments: tuple[str, ...]
    """The program; `{connection_file}` in it is replaced."""
    environment: Mapping[str, str]
    interrupted_by_message: bool


@dataclass(frozen=True)
class _Python:
    executable: str
    prefix: Path
    user_base: Path
    has_kernel: bool


class KernelSpecs:
    """The kernels of one user, looked for anew each time: they may be installed while the server runs."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self._home = home
        self._looking: asyncio.Task[None] | None = None
        self._answer = False
        self._answered_at: float | None = None

    async def find(self, name: str, language: str) -> Spec:
        """Return the kernel `name`; for a notebook in Python any Python is better than none.

        Raises:
            NoKernelError: Jupyter is not installed.
            UnknownKernelError: there is no such kernel.
        """
        python = await self._python()
        specs = await asyncio.to_thread(self._all, python)
        spec = specs.get(name.lower())
        if spec is None and language in {"", "python"}:
            spec = specs.get(_NATIVE)
        if spec is not None:
            return spec
        if not specs:
            raise NoKernelError(f"There is no kernel to run notebooks: {INSTALL}")
        raise UnknownKernelError(f"there is no kernel '{name[:100]}', only: {', '.join(sorted(specs))}")

    async def available(self) -> bool:
        """Tell whether there is any kernel, without a long wait.

        What was found is remembered for a minute, and still said while it is looked for again. Before anything
        was found, there is none after a few seconds.
        """
        old = self._answered_at is None or time.monotonic() - self._answered_at > _REMEMBERED_SECONDS
        if old and self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if self._looking is not None and self._answered_at is None:
            await asyncio.wait([self._looking], timeout=_PATIENCE_SECONDS)
        return self._answer

    async def _look(self) -> None:
        try:
            known = await asyncio.to_thread(self._all, None)
            self._answer = bool(known) or bool(await asyncio.to_thread(self._all, await self._python()))
            self._answered_at = time.monotonic()
        finally:
            self._looking = None

    def _all(self, python: _Python | None) -> dict[str, Spec]:
        specs: dict[str, Spec] = {}
        for folder in self._folders(python):
            for name, file in _files(folder / "kernels"):
                if name not in specs and (spec := _read(name, file, _python_of(folder, python))) is not None:
                    specs[name] = spec
        if _NATIVE not in specs and python is not None and python.has_kernel:
            arguments = (python.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
            specs[_NATIVE] = Spec(_NATIVE, arguments, {}, interrupted_by_message=False)
        return specs

    def _folders(self, python: _Python | None) -> list[Path]:
        """Return where Jupyter looks, first to last."""
        variables = self._engine.environment
        named = [Path(path) for path in variables.get("JUPYTER_PATH", "").split(":") if path]
        data = Path(variables.get("XDG_DATA_HOME") or self._home / ".local" / "share")
        own = Path(variables.get("JUPYTER_DATA_DIR") or data / "jupyter")
        installed = [python.user_base, python.prefix] if python is not None else []
        return [*named, own, *(place / "share" / "jupyter" for place in installed), *_SYSTEM]

    async def _python(self) -> _Python | None:
        """Ask the user's Python, if there is one."""
        # Not in the home, where a file may have the name of a module.
        probe = Program(["python3", "-c", _PROBE], Path("/"))
        try:
            code, said = await collect(self._engine, probe, seconds=_PROBE_SECONDS, most_bytes=_PROBE_BYTES)
        except SpawnError:
            return None
        if code != 0:
            return None
        try:
            executable, prefix, user_base, has_kernel = json.loads(said)
            return _Python(str(executable), Path(prefix), Path(user_base), bool(has_kernel))
        except (ValueError, TypeError, RecursionError):
            return None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return
    for name in names:
        if _NAME.fullmatch(name) and (folder / name / "kernel.json").is_file():
            yield name.lower(), folder / name / "kernel.json"


def _python_of(folder: Path, python: _Python | None) -> str:
    """Return what `python` means in a kernel of this folder: the one it was installed with."""
    beside = folder.parents[1] / "bin" / "python3"
    if beside.exists():
        return str(beside)
    return python.executable if python is not None else "python3"


def _read(name: str, file: Path, python: str) -> Spec | None:
    """Read a kernel's description; one that makes no sense is none."""
    try:
        content: Any = json.loads(file.read_text())
        first, *rest = [str(argument) for argument in content["argv"]]
        environment = content.get("env") or {}
        variables = {str(variable): str(value) for variable, value in environment.items()}
        by_message = content.get("interrupt_mode") == "message"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    program = python if _PYTHON.fullmatch(first) else first
    arguments = (program, *(argument.replace("{resource_dir}", str(file.parent)) for argument in rest))
    return Spec(name, arguments, variables, interrupted_by_message=by_message)
