"""The one place where processes are made, watched and ended; whatever runs a command goes through it."""

from terminal_server.engine.engine import Engine, EngineClosedError, SpawnError
from terminal_server.engine.pipes import Feed, Stream
from terminal_server.engine.process import Process

__all__ = ["Engine", "EngineClosedError", "Feed", "Process", "SpawnError", "Stream"]
