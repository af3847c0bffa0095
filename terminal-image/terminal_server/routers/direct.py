"""Calls that come again and again in the same plain form are answered without looking at all they could be.

FastAPI finds out what each parameter of a call is, whether the call brings it or not: for a command that takes as
long as starting it.
"""

import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, create_model
from starlette.requests import ClientDisconnect

from terminal_server.sessions import session_of

_JSON = "application/json"


def direct_to(model: type[BaseModel]) -> type[APIRoute]:
    """Return a class of routes for calls with such a body, whose other parameters are in the query, with a default.

    A call whose body and query are valid gets its answer directly; every other takes FastAPI's way, and gets from
    there what there is to say about it.
    """

    class DirectRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            solve = super().get_route_handler()
            asked = _query_model(self.endpoint)

            async def handle(request: Request) -> Response:
                if request.headers.get("content-type") != _JSON:
                    return await solve(request)
                try:
                    query = asked.model_validate(dict(request.query_params))
                    body = model.model_validate(json.loads(await request.body()))
                except (ValueError, RecursionError, ClientDisconnect):
                    return await solve(request)
                services, session = request.app.state.services, session_of(request)
                answer: Response = await self.endpoint(
                    body=body, services=services, session=session, **vars(query)
                )
                return answer

            return handle

    return DirectRoute


def _query_model(endpoint: Callable[..., Any]) -> type[BaseModel]:
    """Return a model of what a call may bring in its query, with the very rules that FastAPI is given."""
    parameters = inspect.signature(endpoint).parameters.values()
    fields: dict[str, Any] = {
        each.name: (each.annotation, each.default) for each in parameters if _is_in_query(each.annotation)
    }
    model: type[BaseModel] = create_model("Query", **fields)
    return model


def _is_in_query(annotation: object) -> bool:
    return any(isinstance(said, params.Query) for said in getattr(annotation, "__metadata__", ()))
