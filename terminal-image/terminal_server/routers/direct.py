"""Calls that come again and again in the same plain form are answered without looking at all they could be.

FastAPI finds out what each parameter of a call is, whether the call brings it or not: for a command that takes as
long as starting it.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from terminal_server.sessions import session_of

_JSON = "application/json"


def direct_to(model: type[BaseModel]) -> type[APIRoute]:
    """Return a class of routes for calls with such a body, whose other parameters all have a default.

    A call with a valid body and nothing else gets its answer directly; every other takes FastAPI's way, and gets
    from there what there is to say about it.
    """

    class DirectRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            solve = super().get_route_handler()

            async def handle(request: Request) -> Response:
                if request.scope["query_string"] or request.headers.get("content-type") != _JSON:
                    return await solve(request)
                try:
                    body = model.model_validate(json.loads(await request.body()))
                except (ValueError, RecursionError, ClientDisconnect):
                    return await solve(request)
                services, session = request.app.state.services, session_of(request)
                answer: Response = await self.endpoint(body=body, services=services, session=session)
                return answer

            return handle

    return DirectRoute
