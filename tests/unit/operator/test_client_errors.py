"""The real client against a server that does what no real API server can be made to do on demand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration
from terminal_operator.kube.client import KubernetesCluster
from terminal_operator.kube.errors import (
    AlreadyExistsError,
    ClusterError,
    ConflictError,
    NotFoundError,
    RejectedError,
    RetryLaterError,
)
from terminal_operator.kube.kinds import SECRET

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
MANIFEST = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"namespace": "team", "name": "one", "uid": "u"},
    "data": {"api-key": "aHVzaA=="},
}


@asynccontextmanager
async def served_by(answer: Answer, *, timeout_seconds: float = 5.0) -> AsyncIterator[KubernetesCluster]:
    """Serve every request with an answer, on a loopback port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    configuration = Configuration()
    configuration.host = f"http://{host}:{port}"
    try:
        async with ApiClient(configuration) as client:
            yield KubernetesCluster(client, timeout_seconds=timeout_seconds)
    finally:
        await runner.cleanup()


def status(code: int, reason: str = "", message: str = "words", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(
            {"kind": "Status", "reason": reason, "message": message}, status=code, headers=headers
        )

    return answer


async def error_of(answer: Answer, *, timeout_seconds: float = 5.0) -> ClusterError:
    async with served_by(answer, timeout_seconds=timeout_seconds) as cluster:
        with pytest.raises(ClusterError) as caught:
            await cluster.create(MANIFEST)
    return caught.value


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", RejectedError),
        (401, "Unauthorized", RetryLaterError),
        (403, "Forbidden", RejectedError),
        (404, "NotFound", NotFoundError),
        (409, "AlreadyExists", AlreadyExistsError),
        (409, "Conflict", ConflictError),
        (410, "Expired", RetryLaterError),
        (422, "Invalid", RejectedError),
        (429, "TooManyRequests", RetryLaterError),
        (500, "InternalError", RetryLaterError),
        (503, "ServiceUnavailable", RetryLaterError),
        (504, "Timeout", RetryLaterError),
    ],
)
async def test_an_answer_means_one_of_a_few_things(
    code: int, reason: str, expected: type[ClusterError]
) -> None:
    error = await error_of(status(code, reason))
    assert type(error) is expected
    assert str(error) == "Secret/team/one: words"


@pytest.mark.parametrize(
    ("header", "after"),
    [({"Retry-After": "7"}, 7.0), ({}, 0.0), ({"Retry-After": "-3"}, 0.0), ({"Retry-After": "soon"}, 0.0)],
)
async def test_a_busy_server_says_when_to_come_back(header: dict[str, str], after: float) -> None:
    error = await error_of(status(429, "TooManyRequests", **header))
    assert isinstance(error, RetryLaterError)
    assert error.after == after


@pytest.mark.parametrize("body", ["<html>Bad Gateway</html>", "", '"text"', "[1]", "null"])
@pytest.mark.parametrize("code", [200, 502, 503])
async def test_an_answer_that_is_no_object_is_a_failure_that_may_pass(code: int, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, status=code)

    assert isinstance(await error_of(answer), RetryLaterError)


async def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    error = await error_of(answer, timeout_seconds=0.1)
    assert isinstance(error, RetryLaterError)
    assert "no answer to POST within 0.1 s" in str(error)


async def test_an_answer_that_stops_in_the_middle_is_given_up_in_time() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"kind": ')
        await asyncio.sleep(60)
        return response

    assert isinstance(await error_of(answer, timeout_seconds=0.1), RetryLaterError)


async def test_a_torn_connection_is_a_failure_that_may_pass() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"kind": ')
        assert request.transport is not None
        request.transport.abort()
        return response

    assert isinstance(await error_of(answer), RetryLaterError)


async def test_a_server_that_is_not_there_is_a_failure_that_may_pass() -> None:
    async with served_by(status(200)) as cluster:
        pass
    configuration = Configuration()
    configuration.host = "http://127.0.0.1:1"
    async with ApiClient(configuration) as client:
        cluster = KubernetesCluster(client)
        with pytest.raises(RetryLaterError, match="unreachable"):
            await cluster.create(MANIFEST)


async def test_no_error_repeats_what_was_sent() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=await request.text(), status=502)

    assert "aHVzaA" not in repr(await error_of(echo))


async def test_an_object_that_was_made_anew_is_a_conflict_although_the_server_calls_it_invalid() -> None:
    async def answer(_: web.Request) -> web.Response:
        details = {"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid"}]}
        return web.json_response({"reason": "Invalid", "message": "words", "details": details}, status=422)

    assert isinstance(await error_of(answer), ConflictError)


async def test_a_list_whose_next_page_has_expired_is_a_failure_that_may_pass() -> None:
    async def answer(request: web.Request) -> web.Response:
        if "continue" in request.query:
            return web.json_response({"reason": "Expired", "message": "too old"}, status=410)
        return web.json_response({"items": [], "metadata": {"continue": "more", "resourceVersion": "1"}})

    async with served_by(answer) as cluster:
        with pytest.raises(RetryLaterError):
            await cluster.list(SECRET, "")


async def test_a_failed_request_leaves_the_connection_usable_for_the_next() -> None:
    answers = iter((503, 200))

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(MANIFEST, status=next(answers))

    async with served_by(answer) as cluster:
        with pytest.raises(RetryLaterError):
            await cluster.create(MANIFEST)
        assert await cluster.create(MANIFEST) == MANIFEST
