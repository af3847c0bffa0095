"""A program as users run them in a terminal: serves HTTP and WebSockets, and says what it got."""

import asyncio
import gzip
import sys

from aiohttp import WSMsgType, web

_HOST_WIDE = {
    "Set-Cookie": "a=b",
    "Clear-Site-Data": '"*"',
    "Service-Worker-Allowed": "/",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Strict-Transport-Security": "max-age=1",
    "Alt-Svc": 'h2=":1"',
    "NEL": "{}",
    "Report-To": "{}",
    "WWW-Authenticate": "Basic",
    "X-Accel-Redirect": "/secret",
    "Keep-Alive": "timeout=5",
    "X-Hop": "one",
    "Connection": "X-Hop",
    "Content-Security-Policy": "img-src 'none'",
    "ETag": '"kept"',
    "X-Kept": "caf\u00e9",
}


async def echo(request: web.Request) -> web.Response:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
    headers = [[name, value] for name, value in request.headers.items()]
    return web.json_response(
        {"method": request.method, "path": request.raw_path, "headers": headers, "size": size}
    )


async def redirect(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": request.query["to"]})


async def risky(_request: web.Request) -> web.Response:
    return web.Response(text="<script>alert(1)</script>", content_type="text/html", headers=_HOST_WIDE)


async def packed(_request: web.Request) -> web.Response:
    return web.Response(body=gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"})


async def talk(request: web.Request) -> web.StreamResponse:
    """Answer each piece when it comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for chunk in request.content.iter_any():
        await response.write(chunk.upper())
    return response


async def events(request: web.Request) -> web.StreamResponse:
    """Send events until the client has gone, and note that."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"data: tick\n\n")
            await asyncio.sleep(0.05)
    finally:
        request.app["left"].append(request.raw_path.removeprefix("/"))


async def large(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = int(request.query["size"])
    await response.prepare(request)
    for _ in range(response.content_length // 2**16 if request.method == "GET" else 0):
        await response.write(b"x" * 2**16)
    return response


async def broken(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    if "length" in request.query:
        response.content_length = 1000
    await response.prepare(request)
    await response.write(b"begun")
    assert request.transport is not None
    await asyncio.sleep(0.05)
    request.transport.abort()
    return response


async def status(request: web.Request) -> web.StreamResponse:
    """Answer with any status, even one that HTTP has not."""
    assert request.transport is not None
    head = f"HTTP/1.1 {request.query['status']} Odd\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n"
    request.transport.write(head.encode())
    request.transport.close()
    return web.Response()


async def left(request: web.Request) -> web.Response:
    return web.json_response(request.app["left"])


async def socket(request: web.Request) -> web.StreamResponse:
    """Echo messages; do what some of them say."""
    connection = web.WebSocketResponse(protocols=("two", "one"), max_msg_size=2**24)
    await connection.prepare(request)
    async for message in connection:
        if message.type is WSMsgType.BINARY:
            await connection.send_bytes(message.data)
        elif message.data == "headers":
            await connection.send_json([request.raw_path, *([n, v] for n, v in request.headers.items())])
        elif message.data.startswith("close"):
            await connection.close(code=int(message.data[5:]), message=b"as told")
        elif message.data == "die":
            assert request.transport is not None
            request.transport.abort()
        else:
            await connection.send_str(message.data)
    request.app["left"].append(connection.close_code)
    return connection


def main() -> None:
    app = web.Application(client_max_size=2**40)
    app["left"] = []
    for path, handler in {
        "/redirect": redirect, "/a/b/redirect": redirect, "/risky": risky, "/packed": packed, "/talk": talk,
        "/events": events, "/large": large, "/broken": broken, "/left": left, "/socket": socket,
        "/status": status,
    }.items():  # fmt: skip
        app.router.add_route("*", path, handler)
    app.router.add_route("*", "/{rest:.*}", echo)
    web.run_app(app, host=sys.argv[2], port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
