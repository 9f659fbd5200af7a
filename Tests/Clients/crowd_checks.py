"""Clients that come in hundreds, leave, or stop reading."""

import asyncio
import json
import os
import pathlib
import re
import resource
import urllib.parse

from checks import Checks, Script, equal, expect, until
from gateway import Gateway

checks = Checks()
MANY = int(os.environ.get("CLIENTS_MANY", "300"))
IDLE = MANY * 10 if MANY >= 1000 else 1000


class Stream:
    """A streamed call on a bare connection."""

    def __init__(self, context, script, **headers):
        self.url = urllib.parse.urlsplit(context.gateway)
        body = json.dumps({"model": "scripted", "stream": True, "messages": [{"role": "user", "content": str(script)}]}).encode()
        lines = ["POST /v1/chat/completions HTTP/1.1", f"host: {self.url.netloc}", f"authorization: Bearer {context.key}",
                 "content-type: application/json", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.url.hostname, self.url.port)
        self.writer.write(self.request)
        await self.writer.drain()
        return self

    async def text(self):
        """The answer's text; an answer without its end is an error."""
        data = await self.reader.read()
        self.writer.close()
        expect(data.startswith(b"HTTP/1.1 200"), data[:300])
        expect(b"data: [DONE]" in data, f"no end: {data[-300:]}")
        return "".join(text_of(line[6:]) for line in unchunked(data).split(b"\n") if line.startswith(b"data: {"))

    def leave(self):
        self.writer.transport.abort()


def text_of(chunk):
    return "".join(choice["delta"].get("content") or "" for choice in json.loads(chunk)["choices"])


def unchunked(data):
    """The body of an answer whose chunks are as HTTP/1.1 has them."""
    head, _, rest = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return rest
    body = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body.append(rest[:length])
        rest = rest[length + 2:]
    return b"".join(body)


async def answered(context, seconds=20):
    """A newcomer is answered within the time."""
    stream = await Stream(context, Script()).open()
    equal(await asyncio.wait_for(stream.text(), seconds), "Hello")


@checks.check(f"{MANY} streams at once", bound=120)
def many(context):
    scripts = [Script() for _ in range(MANY)]

    async def all_of_them():
        async def one(script):
            return await (await Stream(context, script).open()).text()

        return await asyncio.gather(*(one(script) for script in scripts))

    equal(set(asyncio.run(all_of_them())), {"Hello"})
    counts = context.upstream.ask("counts")
    equal({counts[script.id] for script in scripts}, {1}, "the paid calls of each")


@checks.check(f"{MANY} clients leave at once, and a newcomer is answered", bound=120)
def leaving(context):
    async def leave():
        streams = await asyncio.gather(*(Stream(context, Script(pause=0.2, text=["a"] * 10)).open() for _ in range(MANY)))
        await asyncio.gather(*(stream.reader.read(1) for stream in streams[:20]))
        for stream in streams:
            stream.leave()
        await answered(context, 60)

    asyncio.run(leave())


@checks.check("a client that does not read holds up nobody, and gets all of a long answer later", bound=90)
def stalled(context):
    script = Script(text=["x" * 1000 + str(index) for index in range(6000)])

    async def stall():
        slow = await Stream(context, script).open()
        await slow.reader.read(1)
        slow.writer.transport.pause_reading()
        await asyncio.to_thread(context.upstream.wait, script.id)
        await asyncio.to_thread(until, lambda: context.upstream.calls(script.id)[0]["outcome"], lambda outcome: outcome != "open", 30)
        equal(context.upstream.calls(script.id)[0]["outcome"], "answered", "what became of the upstream's call")
        await answered(context)
        slow.writer.transport.resume_reading()
        data = b"H" + await slow.reader.read()
        equal(sum(len(text_of(line[6:])) for line in unchunked(data).split(b"\n") if line.startswith(b"data: {")),
              sum(1000 + len(str(index)) for index in range(6000)), "the length of the text")

    asyncio.run(stall())


@checks.check("answers beyond serve.stream_memory: each comes whole or may be asked for again unpaid, and memory stays", bound=120)
def crowded_memory(context):
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "memory"), context.arguments.upstream, "  stream_memory: 4MiB\n")
    gateway.start()
    process = f"/proc/{gateway.serve.process.pid}"
    size = lambda name: int(re.search(rf"{name}:\s+(\d+)", pathlib.Path(process, "status").read_text())[1]) // 1024
    there = context.of(gateway.url, gateway.key)
    scripts = [Script(text=["x" * 5_000] * 200) for _ in range(9)]

    restarted = []

    async def whole(script, data):
        if b"stream_restarted" in data:
            restarted.append(script)
            again = await Stream(there, script, x_stainless_retry_count="1").open()
            data = await again.reader.read()
        expect(b"data: [DONE]" in data, f"no end: {data[-300:]}")
        equal(sum(len(text_of(line[6:])) for line in unchunked(data).split(b"\n") if line.startswith(b"data: {")), 1_000_000, "the length of the text")

    async def reading(script):
        stream = await Stream(there, script).open()
        await whole(script, await stream.reader.read())

    async def crowd():
        slow = await Stream(there, scripts[8]).open()
        await slow.reader.read(1)
        slow.writer.transport.pause_reading()
        await asyncio.gather(*(reading(script) for script in scripts[:8]))
        await asyncio.to_thread(context.upstream.wait, scripts[8].id, seconds=60)
        await asyncio.to_thread(until, lambda: context.upstream.calls(scripts[8].id)[0]["outcome"], lambda outcome: outcome != "open", 60)
        slow.writer.transport.resume_reading()
        await whole(scripts[8], b"H" + await slow.reader.read())

    try:
        before = size("VmRSS")
        pathlib.Path(process, "clear_refs").write_text("5")
        asyncio.run(crowd())
        grown = size("VmHWM") - before
        equal([context.upstream.count(script.id) for script in scripts], [1] * 9, "the paid calls")
        equal(gateway.stop(), [0], "its exit code")
        expect(grown < 400, f"it grew by {grown} MiB")
        return f"{grown} MiB, {len(restarted)} of 9 asked again"
    finally:
        gateway.kill()


@checks.check("on-disconnect: cancel ends the call when its client leaves; finish does not")
def on_disconnect(context):
    cases = {"cancel": "broken", "finish": "answered"}

    async def leave():
        scripts = {}
        for choice in cases:
            scripts[choice] = Script(text=["piece"] * 60, pause=0.1)
            stream = await Stream(context, scripts[choice], x_agent_queue_on_disconnect=choice).open()
            await stream.reader.read(1)
            stream.leave()
        return scripts

    scripts = asyncio.run(leave())
    for choice, outcome in cases.items():
        calls = until(lambda: context.upstream.calls(scripts[choice].id), lambda calls: calls[0]["outcome"] != "open", 30)
        equal([call["outcome"] for call in calls], [outcome], f"the upstream's calls under {choice}")


@checks.check("connections that say nothing keep nobody out")
def idle(context):
    async def wait():
        url = urllib.parse.urlsplit(context.gateway)
        connections = await asyncio.gather(*(asyncio.open_connection(url.hostname, url.port) for _ in range(500)))
        await answered(context)
        for _, writer in connections:
            writer.close()

    asyncio.run(wait())


def resident(pid):
    """What of a process is in memory, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) << 10


@checks.check(f"{IDLE} idle connections: a newcomer is answered, and each takes little memory", bound=120)
def idle(context):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    expect(most == resource.RLIM_INFINITY or most > IDLE + 100, f"the system allows {most} open files, too few")
    folder = pathlib.Path(context.arguments.folder, "idle")
    gateway = Gateway(context.arguments.program, folder, context.arguments.upstream, f"  max_connections: {IDLE + 100}\n")
    gateway.start()
    try:
        there = context.of(gateway.url, gateway.key)
        url = urllib.parse.urlsplit(gateway.url)

        async def crowd():
            await answered(there)
            before = resident(gateway.serve.process.pid)
            connections = []
            for _ in range(0, IDLE, 100):
                connections += await asyncio.gather(*(asyncio.open_connection(url.hostname, url.port) for _ in range(min(100, IDLE))))
            # An answer to each tells that it is taken up; half of them have never sent a byte.
            for reader, writer in connections[::2]:
                writer.write(f"GET /health HTTP/1.1\r\nhost: {url.netloc}\r\n\r\n".encode())
            for reader, _ in connections[::2]:
                expect((await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200"), "a connection was refused")
            await answered(there, 5)
            each = (resident(gateway.serve.process.pid) - before) / IDLE
            expect(each < 30_000, f"{each:.0f} bytes for each connection")
            for _, writer in connections:
                writer.transport.abort()
            await answered(there, 10)
            return before, each

        before, each = asyncio.run(crowd())
        equal(gateway.stop(), [0], "its exit code after SIGTERM")
        return f"{before >> 20} MiB without them, {each / 1024:.1f} KiB for each"
    finally:
        gateway.kill()


if __name__ == "__main__":
    checks.main("crowd", at_once=1)
