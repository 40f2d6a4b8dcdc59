"""
A small service on a Unix socket, started as the real one is: it answers with what it was sent.

Run as `python backend.py serve --socket PATH --root FOLDER --parent`; it ends when its input closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from aiohttp import WSMsgType, web


async def seen(request: web.Request) -> web.Response:
    """Every header, path and query as they came."""
    body = await request.read()
    document = {
        "method": request.method,
        "path": request.raw_path,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": body.decode("latin-1"),
        "arguments": sys.argv[1:],
        "secret": os.environ.get("STEPWELL_SECRET"),
        "pid": os.getpid(),
    }
    return web.json_response(document, headers={"Set-Cookie": "planted=1", "Access-Control-Allow-Origin": "*", "X-Kept": "yes"})


async def created(request: web.Request) -> web.Response:
    return web.Response(status=201, headers={"Location": "/api/v1/runs/1"})


async def large(request: web.Request) -> web.StreamResponse:
    """More than Jupyter would want to hold, in pieces, until the reader leaves."""
    answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await answer.prepare(request)
    for _ in range(int(request.query["pieces"])):
        await answer.write(b"x" * 65536)
    return answer


async def broken(request: web.Request) -> web.StreamResponse:
    """Says a length, sends less, and is gone."""
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b"half")
    os._exit(3)


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(
        json.dumps({"headers": {name.lower(): value for name, value in request.headers.items()}, "path": request.raw_path})
    )
    async for message in socket:
        if message.type is WSMsgType.TEXT and message.data == "leave":
            break
        await (socket.send_str(message.data) if message.type is WSMsgType.TEXT else socket.send_bytes(message.data))
    await socket.close()
    return socket


async def die(request: web.Request) -> web.Response:
    os._exit(int(request.query["code"]))


async def main(path: str) -> None:
    app = web.Application(client_max_size=1 << 30)
    app.router.add_get("/echo/", echo)
    app.router.add_get("/socket.io/ws", echo)
    app.router.add_get("/large", large)
    app.router.add_get("/broken", broken)
    app.router.add_get("/die", die)
    app.router.add_post("/created", created)
    app.router.add_route("*", "/{rest:.*}", seen)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    print(json.dumps({"level": 30, "msg": "listening"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[sys.argv.index("--socket") + 1]))
