"""What goes wrong, as the answers a client gets: always `{"detail": …}`, never a 500 for bad input."""

import asyncio
import errno
import json
import logging
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

log = logging.getLogger(__name__)

_TOO_LARGE = "The body is larger than this call takes"

_STATUS = {
    errno.ENOENT: HTTPStatus.NOT_FOUND,
    errno.EACCES: HTTPStatus.FORBIDDEN,
    errno.EPERM: HTTPStatus.FORBIDDEN,
    errno.EROFS: HTTPStatus.FORBIDDEN,
    errno.EEXIST: HTTPStatus.CONFLICT,
    errno.EISDIR: HTTPStatus.CONFLICT,
    errno.ENOTDIR: HTTPStatus.CONFLICT,
    errno.ENOTEMPTY: HTTPStatus.CONFLICT,
    errno.ENAMETOOLONG: HTTPStatus.BAD_REQUEST,
    errno.EINVAL: HTTPStatus.BAD_REQUEST,
    errno.ELOOP: HTTPStatus.BAD_REQUEST,
    errno.ENXIO: HTTPStatus.BAD_REQUEST,
    errno.EOPNOTSUPP: HTTPStatus.BAD_REQUEST,
    errno.EBUSY: HTTPStatus.CONFLICT,
    errno.ETXTBSY: HTTPStatus.CONFLICT,
    errno.EMFILE: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ENFILE: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ENOMEM: HTTPStatus.SERVICE_UNAVAILABLE,
    # A disk that is broken, or a network's that has lost its server.
    errno.EIO: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ESTALE: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ENOTCONN: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ECONNABORTED: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ETIMEDOUT: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.EHOSTDOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    errno.ENOSPC: HTTPStatus.INSUFFICIENT_STORAGE,
    errno.EFBIG: HTTPStatus.INSUFFICIENT_STORAGE,
    errno.EDQUOT: HTTPStatus.INSUFFICIENT_STORAGE,
}


def from_os_error(error: OSError) -> HTTPException:
    """Return the answer for a file operation that failed."""
    status = _STATUS.get(error.errno or 0, HTTPStatus.INTERNAL_SERVER_ERROR)
    return HTTPException(status, error.strerror or "The operation failed")


def add_handlers(app: FastAPI) -> None:
    """Give validation errors a body that can always be written: without the input that caused them."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        detail = [{"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()]
        return Response(json.dumps({"detail": detail}), status_code=422, media_type="application/json")


def _is_limits_own(message: Message, scope: Scope) -> bool:
    """Tell whether a message is the framework's own answer to a body that is too large, which is plain text."""
    return (
        message["type"] == "http.response.start"
        and message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        and Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
        and not scope["path"].startswith("/proxy/")
    )


class CatchErrors:
    """ASGI middleware: an unexpected error is logged, and answered like any other error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; 500 if that fails before an answer has begun."""
        begun = replaced = False

        async def watch(message: Message) -> None:
            nonlocal begun, replaced
            begun = True
            replaced = replaced or _is_limits_own(message, scope)
            if not replaced:
                await send(message)
            elif message["type"] == "http.response.start":
                await JSONResponse({"detail": _TOO_LARGE}, status_code=413)(scope, receive, send)

        try:
            await self.app(scope, receive, watch)
        except asyncio.CancelledError:
            # The time for requests to end is over. What has begun cannot be taken back.
            if begun or scope["type"] != "http":
                raise
            await JSONResponse({"detail": "The server stops"}, status_code=503)(scope, receive, send)
        except ClientDisconnected:
            pass  # Who opens a WebSocket and goes before it is accepted or refused does no harm.
        except Exception:
            log.exception("a request failed")
            if begun or scope["type"] != "http":
                raise
            await JSONResponse({"detail": "Internal error"}, status_code=500)(scope, receive, send)
