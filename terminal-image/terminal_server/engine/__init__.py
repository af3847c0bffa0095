"""The one place where processes are made, watched and ended; whatever runs a command goes through it."""

from terminal_server.engine.engine import Engine, EngineClosedError, Program, SpawnError
from terminal_server.engine.pipes import Feed, Input, InputClosedError, Stream
from terminal_server.engine.process import Process

__all__ = [
    "Engine",
    "EngineClosedError",
    "Feed",
    "Input",
    "InputClosedError",
    "Process",
    "Program",
    "SpawnError",
    "Stream",
]
