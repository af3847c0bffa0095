"""The one place where processes are made, watched and ended; whatever runs a command goes through it."""

from terminal_server.engine.collected import collect
from terminal_server.engine.engine import STARTERS, Engine, EngineClosedError, Program, Stdin
from terminal_server.engine.input import Input, InputClosedError
from terminal_server.engine.pipes import Feed, Stream
from terminal_server.engine.process import Process
from terminal_server.engine.starting import BadFolderError, SpawnError, TooLargeError

__all__ = [
    "STARTERS",
    "BadFolderError",
    "Engine",
    "EngineClosedError",
    "Feed",
    "Input",
    "InputClosedError",
    "Process",
    "Program",
    "SpawnError",
    "Stdin",
    "Stream",
    "TooLargeError",
    "collect",
]
