"""One server for what does no harm to it, and a client of it."""

from tests.contract.conftest import client, server

__all__ = ["client", "server"]
