"""HTTP as attackers write it: requests that two readers would read differently, and HTTP/2 with its own ways to flood. The gateways are the
checks' own."""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess

from checks import Checks, Script, Skipped, equal, expect
from gateway import Gateway

checks = Checks()
CHAT = "/v1/chat/completions"
END = b"\r\n\r\n"


@contextlib.contextmanager
def running(context, name, more="", encrypted=False):
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, f"wire-{name}"), context.arguments.upstream, more)
    gateway.start()
    try:
        yield gateway
        equal(gateway.stop(), [0], "its exit code")
        log = gateway.log.read_text(errors="replace")
        expect("Fatal error" not in log and "Crash" not in log, f"the log tells of a crash: {log[-800:]}")
    finally:
        gateway.kill()


def talk(port, data, seconds=5):
    """What the server says to these bytes until it closes, or is silent for long."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        received = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            return received, False
        except OSError:
            pass
        return received, True


def request(gateway, lines, body=b"", first=f"POST {CHAT} HTTP/1.1"):
    head = [first, f"host: 127.0.0.1:{gateway.port}", f"authorization: Bearer {gateway.key}", "content-type: application/json", *lines]
    return "\r\n".join(head).encode("latin-1") + END + body


@checks.check("requests that could be read in two ways are refused, and nothing is smuggled", bound=120)
def smuggled(context):
    with running(context, "smuggled") as gateway:
        def second(script):
            body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": str(script)}]}).encode()
            return request(gateway, [f"content-length: {len(body)}"], body)

        inner, chunks = b"SECOND", b"0\r\n\r\n"
        length = len(second(Script()))
        cases = {
            "a length and chunks": request(gateway, [f"content-length: {len(chunks)}", "transfer-encoding: chunked"], chunks + inner),
            "chunks and a length": request(gateway, ["transfer-encoding: chunked", "content-length: 3"], chunks + inner),
            "two lengths": request(gateway, ["content-length: 2", f"content-length: {length + 2}"], b"{}" + inner),
            "two lengths in one": request(gateway, [f"content-length: 2, {length + 2}"], b"{}" + inner),
            "a length with a sign": request(gateway, ["content-length: +2"], b"{}" + inner),
            "a length in hexadecimal": request(gateway, ["content-length: 0x2"], b"{}" + inner),
            "a negative length": request(gateway, ["content-length: -2"], b"{}" + inner),
            "a length beyond numbers": request(gateway, ["content-length: 99999999999999999999"], b"{}" + inner),
            "chunked twice": request(gateway, ["transfer-encoding: chunked, chunked"], chunks + inner),
            "chunked of another name": request(gateway, ["transfer-encoding: xchunked"], chunks + inner),
            "a space before the colon": request(gateway, ["transfer-encoding : chunked"], chunks + inner),
            "a folded header": request(gateway, ["transfer-encoding:\r\n chunked"], chunks + inner),
            "a line feed alone": request(gateway, ["x: y\ntransfer-encoding: chunked"], chunks + inner),
            "a carriage return alone": request(gateway, ["x: y\rtransfer-encoding: chunked"], chunks + inner),
            "a zero byte": request(gateway, ["x: a\0b", "content-length: 2"], b"{}" + inner),
            "a chunk's size with a sign": request(gateway, ["transfer-encoding: chunked"], b"+2\r\n{}\r\n0\r\n\r\n" + inner),
            "a chunk's size beyond numbers": request(gateway, ["transfer-encoding: chunked"], b"fffffffffffffffff\r\n{}\r\n" + inner),
            "a chunk longer than it says": request(gateway, ["transfer-encoding: chunked"], b"2\r\n{}{}{}\r\n0\r\n\r\n" + inner),
            "no version": b"GET /health\r\n\r\n" + inner,
            "another version": request(gateway, ["content-length: 2"], b"{}" + inner, f"POST {CHAT} HTTP/1.7"),
            "a method of control characters": request(gateway, [], inner, "\x01\x02 / HTTP/1.1"),
        }
        taken, scripts = [], {}
        for name, data in cases.items():
            script = scripts[name] = Script()
            received, closed = talk(gateway.port, data.replace(inner, second(script)), 4)
            statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
            expect(not any(status.startswith(b"5") for status in statuses), f"{name}: {received[:300]}")
            # A second request is only answered if the first was understood as its sender may have meant it.
            if context.upstream.count(script.id):
                taken.append((name, statuses))
            else:
                expect(closed, f"{name}: the connection stays open after {received[:200]}")
        equal(taken, [], "what let a second request through")
        received, _ = talk(gateway.port, second(Script()))
        expect(b"Hello" in received, "it answers no more")
        equal([name for name, script in scripts.items() if context.upstream.count(script.id)], [], "what let a second request through late")
        return f"{len(cases)} requests"


@checks.check("a head that is too large or has too many fields ends with a 431 or a closed connection", bound=40)
def heads(context):
    with running(context, "heads") as gateway:
        for name, lines in (("a long field", ["x: " + "y" * 70_000]), ("many fields", [f"x-{number}: y" for number in range(400)]),
                            ("a long name", ["x" * 70_000 + ": y"])):
            received, closed = talk(gateway.port, request(gateway, [*lines, "content-length: 2"], b"{}"))
            expect(closed and (not received or received.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))), f"{name}: {received[:200]}")
        received, closed = talk(gateway.port, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")
        expect(closed and (not received or received.startswith((b"HTTP/1.1 4",))), f"a long path: {received[:200]}")
        # Bytes without an end of line.
        received, closed = talk(gateway.port, b"x" * 300_000)
        expect(closed, "bytes without an end are read for ever")


# HTTP/2


class HTTP2:
    """A connection that sends frames as it likes."""

    def __init__(self, gateway, certificate):
        encryption = ssl.create_default_context(cafile=certificate)
        encryption.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        self.socket = encryption.wrap_socket(raw, server_hostname="localhost")
        equal(self.socket.selected_alpn_protocol(), "h2", "the protocol")
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(4, 0, 0))
        self.buffer = b""

    @staticmethod
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    @staticmethod
    def literal(name, value):
        """A field that is not kept in the table."""
        name, value = name.encode(), value.encode()
        return b"\x00" + HTTP2.integer(len(name)) + name + HTTP2.integer(len(value)) + value

    @staticmethod
    def integer(number):
        if number < 127:
            return bytes([number])
        number, encoded = number - 127, b"\x7f"
        while number >= 128:
            encoded, number = encoded + bytes([number % 128 + 128]), number // 128
        return encoded + bytes([number])

    def head(self, stream, method="GET", path="/health", more=(), flags=0x5):
        fields = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost"), *more]
        return self.frame(1, flags, stream, b"".join(self.literal(*field) for field in fields))

    def frames(self, enough):
        """Frames until one is enough, or the connection ends: then the last is None."""
        while True:
            while len(self.buffer) >= 9:
                length = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) < 9 + length:
                    break
                found = (self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big") & 0x7FFFFFFF, self.buffer[9:9 + length])
                self.buffer = self.buffer[9 + length:]
                yield found
                if enough(found):
                    return
            try:
                piece = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError("the server says nothing more") from None
            except OSError:
                piece = b""
            if not piece:
                yield None
                return
            self.buffer += piece

    def answer(self, stream):
        """The body of a stream's answer; None if the connection ended."""
        body = b""
        for frame in self.frames(lambda frame: frame[2] == stream and frame[0] in (0, 1) and frame[1] & 1):
            if frame is None or frame[0] == 7:
                return None
            if frame[0] == 0 and frame[2] == stream:
                body += frame[3]
        return body


@contextlib.contextmanager
def encrypted(context, name):
    openssl = shutil.which("openssl")
    if not openssl:
        raise Skipped("there is no openssl to make a certificate with")
    folder = pathlib.Path(context.arguments.folder, f"wire-{name}-tls")
    folder.mkdir()
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)
    with running(context, name, f"  tls: {{ certificate: {folder}/certificate.pem, key: {folder}/key.pem }}\n") as gateway:
        yield gateway, str(folder / "certificate.pem")


@checks.check("HTTP/2: curl gets whole and streamed answers, many at once on one connection", bound=120)
def http2(context):
    with encrypted(context, "h2") as (gateway, certificate):
        def curl(*options, body):
            command = ["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*", "--http2", "--cacert", certificate, "--write-out", "\n%{http_version}",
                       "--header", f"Authorization: Bearer {gateway.key}", "--header", "Content-Type: application/json", "--data-binary", "@-", *options,
                       f"https://localhost:{gateway.port}{CHAT}"]
            done = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, timeout=40)
            equal(done.returncode, 0, f"curl's exit code ({done.stderr[:300]})")
            text, _, version = done.stdout.decode().rpartition("\n")
            equal(version, "2", "the version")
            return text

        asked = {"model": "scripted", "messages": [{"role": "user", "content": str(Script())}]}
        equal(json.loads(curl(body=asked))["choices"][0]["message"]["content"], "Hello", "the answer")
        expect(curl(body=asked | {"stream": True}).endswith("data: [DONE]\n\n"), "the stream has no end")
        connection = HTTP2(gateway, certificate)
        scripts = [Script() for _ in range(60)]
        fields = [("authorization", f"Bearer {gateway.key}"), ("content-type", "application/json")]
        for number, script in enumerate(scripts):
            body = json.dumps({"model": "scripted", "stream": number % 2 == 0, "messages": [{"role": "user", "content": str(script)}]}).encode()
            connection.socket.sendall(connection.head(2 * number + 1, "POST", CHAT, fields, flags=4) + connection.frame(0, 1, 2 * number + 1, body))
        ended, bodies = set(), {}
        for frame in connection.frames(lambda frame: len(ended) == len(scripts)):
            expect(frame is not None and frame[0] != 7, "the connection ended")
            if frame[0] == 0:
                bodies[frame[2]] = bodies.get(frame[2], b"") + frame[3]
            expect(frame[0] != 3, f"stream {frame[2]} was reset")
            if frame[0] in (0, 1) and frame[1] & 1:
                ended.add(frame[2])
        for number in range(len(scripts)):
            body = bodies[2 * number + 1]
            expect(body.endswith(b"data: [DONE]\n\n") if number % 2 == 0 else b"Hello" in body, f"answer {number}: {body[-200:]}")
        equal([context.upstream.count(script.id) for script in scripts], [1] * 60, "the paid calls")


@checks.check("HTTP/2: floods end their own connection, not the gateway", bound=90)
def floods(context):
    with encrypted(context, "floods") as (gateway, certificate):
        frame, head = HTTP2.frame, lambda connection, stream, **more: connection.head(stream, **more)

        def resets(connection):
            # "Rapid reset", CVE-2023-44487.
            for start in range(1, 40_001, 400):
                yield b"".join(head(connection, stream) + frame(3, 0, stream, b"\0\0\0\x08") for stream in range(start, start + 400, 2))

        def continuations(connection):
            # A head without an end, CVE-2024-27316.
            yield connection.head(1, flags=0)
            for number in range(3_000):
                yield frame(9, 0, 1, b"".join(HTTP2.literal(f"x-{number}-{index}", "y" * 200) for index in range(20)))

        def settings(connection):
            for _ in range(200):
                yield frame(4, 0, 0) * 200

        def pings(connection):
            for _ in range(200):
                yield frame(6, 0, 0, b"12345678") * 200

        def empty(connection):
            yield connection.head(1, "POST", CHAT, [("authorization", f"Bearer {gateway.key}"), ("content-type", "application/json")], flags=4)
            for _ in range(200):
                yield frame(0, 0, 1) * 200

        def nonsense(connection):
            yield frame(0, 0, 77, b"x" * 100)
            yield b"\xff" * 20_000

        def windows(connection):
            yield connection.head(1) + frame(8, 0, 1, b"\x7f\xff\xff\xff") * 3 + frame(8, 0, 0, b"\0\0\0\0")

        ends = {}
        for flood in (resets, continuations, settings, pings, empty, nonsense, windows):
            connection = HTTP2(gateway, certificate)
            connection.socket.settimeout(5)
            outcome = "taken whole"
            try:
                for data in flood(connection):
                    connection.socket.sendall(data)
            except (OSError, ssl.SSLError):
                outcome = "cut"
            ends[flood.__name__] = outcome
            connection.socket.close()
            other = HTTP2(gateway, certificate)
            other.socket.sendall(other.head(1))
            expect(b'"ok"' in (other.answer(1) or b""), f"after {flood.__name__} nobody is answered")
        status = pathlib.Path(f"/proc/{gateway.serve.process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024
        expect(peak < 400, f"the gateway grew to {peak} MiB")
        return f"{', '.join(f'{name} {outcome}' for name, outcome in ends.items())}; {peak} MiB"


if __name__ == "__main__":
    checks.main("wire", at_once=4)
