"""The ports of programs in this terminal, and the way to them."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from terminal_server.ports.forward import forward
from terminal_server.ports.sockets import connect
from terminal_server.ports.target import Target, target_of
from terminal_server.services import Services, Shared

_PATH = "/proxy/{rest:path}"
_NO_TARGET = "The path must be /proxy/PORT/…"

router = APIRouter(include_in_schema=False)


class Port(BaseModel):
    """A port that a program of this terminal listens on."""

    port: int
    pid: int
    process: str


class PortList(BaseModel):
    """All of them."""

    ports: list[Port]


@router.get("/ports")
async def list_ports(services: Shared) -> PortList:
    """List the TCP ports that programs of this terminal listen on, each once."""
    listeners = {one.port: one for one in reversed(await services.ports.own())}
    found = [Port(port=one.port, pid=one.pid, process=one.process) for one in listeners.values()]
    return PortList(ports=sorted(found, key=lambda one: one.port))


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of `/proxy/PORT/…`: of any method, and of WebSockets."""
    proxy = _Proxy(services)
    return [
        Route(_PATH, proxy, include_in_schema=False),
        WebSocketRoute(_PATH, proxy),
    ]


class _Proxy:
    """ASGI application: asks the program."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or connect a WebSocket."""
        target = target_of(scope, self._services.settings.path_prefix)
        if scope["type"] == "websocket":
            await self._connect(WebSocket(scope, receive, send), target)
        elif target is None:
            raise HTTPException(404, _NO_TARGET)
        else:
            await forward(scope, receive, send, target=target, upstream=self._services.upstream)

    async def _connect(self, socket: WebSocket, target: Target | None) -> None:
        if target is None:
            await socket.send_denial_response(JSONResponse({"detail": _NO_TARGET}, status_code=404))
            return
        await connect(
            socket, target=target, upstream=self._services.upstream, activity=self._services.activity
        )
