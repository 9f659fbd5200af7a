"""What curl and bare sockets do: the parts of HTTP that no SDK uses, and those that only attackers do."""

import json
import pathlib
import socket
import subprocess
import tempfile
import urllib.parse

from checks import Checks, Script, equal, expect

checks = Checks()
CHAT = "/v1/chat/completions"


def chat_body(script, **more):
    return json.dumps({"model": "scripted", "messages": [{"role": "user", "content": str(script)}], **more}).encode()


def curl(context, path, *options, body=None, key=True):
    """Runs curl: its exit code, its report (`--verbose`) and the answer's body."""
    command = ["curl", "--silent", "--verbose", "--max-time", "20", "--noproxy", "*", *options, context.gateway + path]
    if key:
        command[1:1] = ["--header", f"Authorization: Bearer {context.key}"]
    if body is not None:
        command[1:1] = ["--header", "Content-Type: application/json", "--data-binary", "@-"]
    done = subprocess.run(command, input=body, capture_output=True, timeout=30)
    return done.returncode, done.stderr.decode(errors="replace"), done.stdout


class Connection:
    """A socket, and what came from it."""

    def __init__(self, context):
        url = urllib.parse.urlsplit(context.gateway)
        self.host = url.netloc
        self.key = context.key
        self.socket = socket.create_connection((url.hostname, url.port), timeout=20)

    def request(self, body, path=CHAT, **headers):
        lines = [f"POST {path} HTTP/1.1", f"host: {self.host}", f"authorization: Bearer {self.key}", "content-type: application/json",
                 f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def read_until(self, mark):
        data = b""
        while mark not in data:
            piece = self.socket.recv(65536)
            if not piece:
                break
            data += piece
        return data


@checks.check("curl: Expect: 100-continue is answered before the body")
def expect_continue(context):
    code, report, body = curl(context, CHAT, "--header", "Expect: 100-continue", "--expect100-timeout", "15", body=chat_body(Script()))
    equal(code, 0, "curl's exit code")
    expect("< HTTP/1.1 100 Continue" in report, report[-500:])
    equal(json.loads(body)["choices"][0]["message"]["content"], "Hello")


@checks.check("Expect: 100-continue with too large a body is a 413 without it")
def expect_too_large(context):
    connection = Connection(context)
    connection.socket.sendall((f"POST {CHAT} HTTP/1.1\r\nhost: {connection.host}\r\nauthorization: Bearer {context.key}\r\n"
                               "content-type: application/json\r\ncontent-length: 400000000\r\nexpect: 100-continue\r\n\r\n").encode())
    head = connection.read_until(b"\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 413"), head[:200])


@checks.check("curl: a chunked body")
def chunked(context):
    code, report, body = curl(context, CHAT, "--header", "Transfer-Encoding: chunked", body=chat_body(Script()))
    equal(code, 0, "curl's exit code")
    equal(json.loads(body)["choices"][0]["message"]["content"], "Hello")


@checks.check("a client that has closed its half gets its answer")
def half_closed(context):
    for more in ({}, {"stream": True}):
        connection = Connection(context)
        connection.request(chat_body(Script(delay=0.5), **more), connection="close")
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read_until(b"[DONE]" if more else b'"lo"}]}')
        expect(answer.startswith(b"HTTP/1.1 200"), answer[:200])
        expect(b"[DONE]" in answer if more else b"Hello" in answer, answer[-300:])


@checks.check("curl: HTTP/2 without TLS is refused, and the server lives on")
def prior_knowledge(context):
    code, _, _ = curl(context, "/health", "--http2-prior-knowledge", key=False)
    expect(code != 0, "HTTP/2 was spoken")
    equal(context.http("GET", "/health", key=False).status, 200, "status")


@checks.check("curl: HEAD has no body")
def heads(context):
    for path, key in (("/", False), ("/api/hello", False), ("/health", False), ("/v1/models", True)):
        code, report, body = curl(context, path, "--head", key=key)
        equal(code, 0, f"curl's exit code for {path}")
        expect("< HTTP/1.1 200" in report, f"{path}: {report[-300:]}")


@checks.check("/health and /ready need no key")
def health(context):
    for path in ("/health", "/ready"):
        equal(context.http("GET", path, key=False).status, 200, f"status of {path}")


@checks.check("two requests on one connection, and two sent at once")
def keep_alive(context):
    connection = Connection(context)
    for _ in range(2):
        connection.request(chat_body(Script()))
        expect(b"Hello" in connection.read_until(b"fp_scripted"), "no answer")
    connection.request(chat_body(Script(text=["first"])))
    connection.request(chat_body(Script(text=["second"])))
    answers = b""
    while answers.count(b"fp_scripted") < 2:
        piece = connection.socket.recv(65536)
        expect(piece, f"the connection ended: {answers[-300:]}")
        answers += piece
    expect(answers.index(b"first") < answers.index(b"second"), "the answers changed places")


@checks.check("curl: the head and the events of a stream")
def stream(context):
    code, report, body = curl(context, CHAT, "--no-buffer", body=chat_body(Script(), stream=True))
    equal(code, 0, "curl's exit code")
    for header in ("content-type: text/event-stream", "x-accel-buffering: no", "x-request-id: ", "request-id: "):
        expect(header in report.lower(), f"no '{header}' in the head")
    # On a machine that is busy it may have been silent for long.
    events = body.decode().replace(": ping\n", "").split("\n\n")
    equal(events[-2:], ["data: [DONE]", ""], "the last event")
    expect(all(event.startswith("data: {") for event in events[:-2]), "an event is no data")
    expect("\nid:" not in body.decode() and "\nretry:" not in body.decode(), "an event has an id")


@checks.check("a silent stream is pinged")
def pings(context):
    script = Script(delay=2.5)
    _, _, body = curl(context, CHAT, "--no-buffer", body=chat_body(script, stream=True))
    expect(b": ping" in body and body.endswith(b"data: [DONE]\n\n"), body[:300])
    script = Script(delay=2.5)
    _, _, body = curl(context, "/v1/messages", "--no-buffer", "--header", "anthropic-version: 2023-06-01", body=json.dumps(
        {"model": "claude-scripted", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": str(script)}]}).encode())
    expect(body.count(b"event: ping") >= 2, body[:300])


@checks.check("a stream whose upstream breaks for good ends without [DONE]", bound=90)
def broken_stream(context):
    _, _, body = curl(context, CHAT, "--max-time", "60", body=chat_body(Script(break_at=1), stream=True))
    expect(b'"error"' in body and b"[DONE]" not in body, body[-300:])


@checks.check("Host, Origin, method, content type, encoding, unknown paths")
def refusals(context):
    body = chat_body(Script())
    for status, method, path, headers in (
            (403, "POST", CHAT, {"host": "evil.example"}), (403, "POST", CHAT, {"origin": "https://evil.example"}),
            (403, "POST", CHAT, {"origin": "null"}), (405, "GET", CHAT, {}), (415, "POST", CHAT, {"content-type": "text/plain"}),
            (415, "POST", CHAT, {"content-encoding": "gzip"}), (404, "POST", "/v1/nothing", {}), (404, "POST", "/v1/completions", {})):
        answer = context.http(method, path, headers=headers, body=body if method == "POST" else None)
        equal(answer.status, status, f"status of {method} {path} with {headers}")
        expect(answer.getheader("x-request-id") and json.loads(answer.data)["error"]["message"], f"{path} with {headers}: no id or message")
    equal(context.http("GET", CHAT).getheader("allow"), "POST", "allow")


@checks.check("bodies that are not what they should be are a 400")
def malformed(context):
    good = chat_body(Script()).decode()
    for body in ("", "{", "[]", '"x"', good[:-1], good[:-1] + ',"model":"other"}', '{"model":1,"messages":[]}',
                 '{"model":"scripted","messages":"x"}', "[" * 100000, good.replace("user", "nobody")):
        answer = context.http("POST", CHAT, body=body.encode())
        equal(answer.status, 400, f"status of {body[:80]!r}")


@checks.check("curl: --data @file with the default headers of the documentation")
def documented(context):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "body.json")
        path.write_bytes(chat_body(Script()))
        code, _, body = curl(context, CHAT, "--header", "Content-Type: application/json", "--data", f"@{path}")
        equal((code, json.loads(body)["choices"][0]["message"]["content"]), (0, "Hello"))


if __name__ == "__main__":
    checks.main("http")
