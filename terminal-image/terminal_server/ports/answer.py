"""A program's answer, as the HTTP client gives it; apart from `upstream` for what it imports."""

import aiohttp

_SWITCHED = 101


class Answer(aiohttp.ClientResponse):
    """Ends with all that belongs to it, whether the program has read what it was sent or not."""

    def close(self) -> None:
        """Give the rest of it up."""
        # Else the connection would last until the program has read what waits here. What was said last in a
        # WebSocket is worth waiting for.
        if self.connection is not None and self.connection.transport and self.status != _SWITCHED:
            self.connection.transport.abort()
        super().close()
