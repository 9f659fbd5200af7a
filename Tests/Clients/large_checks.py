"""An upload of 200 MB and a batch of 50,000 requests, through a gateway of its own whose memory is measured."""

import http.client
import json
import os
import pathlib
import socket
import tempfile
import threading
import time
import urllib.parse

from checks import Checks, equal, expect, until
from gateway import Gateway

checks = Checks()
LINES = int(os.environ.get("CLIENTS_LINES", "50000"))
UPLOAD_MB = 200
# What the gateway may hold at most, in MB, beside what it held before.
UPLOAD_MEMORY = 48
BATCH_MEMORY = 160


class Counting:
    """An upstream that answers every chat completion with the text of its last message, and counts by it. It speaks just enough HTTP."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.counts = {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        while line := stream.readline():
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = stream.read(length)
            text = json.loads(body)["messages"][-1]["content"] if body else ""
            self.counts[text] = self.counts.get(text, 0) + 1
            answer = json.dumps({
                "id": f"chatcmpl-{text}", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}).encode()
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)


class Large:
    """A gateway, and requests to it without an SDK."""

    def __init__(self, context):
        self.upstream = Counting()
        self.folder = tempfile.TemporaryDirectory(prefix="large.", dir=context.arguments.folder)
        self.gateway = Gateway(context.arguments.program, self.folder.name, self.upstream.url)
        self.gateway.start()
        self.url = urllib.parse.urlsplit(self.gateway.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gateway.kill()
        self.folder.cleanup()

    def ask(self, method, path, body=None, headers={}, seconds=300):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=seconds)
        try:
            connection.request(method, path, body, {"authorization": f"Bearer {self.gateway.key}", **headers})
            answer = connection.getresponse()
            data = answer.read()
            expect(answer.status == 200, f"{method} {path} is answered with {answer.status}: {data[:500]}")
            return data
        finally:
            connection.close()

    def json(self, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        return json.loads(self.ask(method, path, body, {"content-type": "application/json"} if body else {}))

    def upload(self, pieces, length):
        head = (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n')
        tail = b"\r\n--b--\r\n"

        def body():
            yield head
            yield from pieces
            yield tail

        return json.loads(self.ask("POST", "/v1/files", body(), {
            "content-type": "multipart/form-data; boundary=b", "content-length": str(len(head) + length + len(tail))}))

    def memory(self, name):
        """The memory of the gateway in MB: `VmRSS` now, `VmHWM` at most."""
        for line in pathlib.Path(f"/proc/{self.gateway.serve.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return 0


@checks.check(f"an upload of {UPLOAD_MB} MB takes no memory", bound=300)
def upload(context):
    with Large(context) as large:
        before = large.memory("VmRSS")
        block = bytes(range(256)) * 4_096
        began = time.monotonic()
        made = large.upload((block for _ in range(UPLOAD_MB)), UPLOAD_MB << 20)
        seconds = time.monotonic() - began
        equal(made["bytes"], UPLOAD_MB << 20, "bytes")
        more = large.memory("VmHWM") - before
        expect(more <= UPLOAD_MEMORY, f"it took {more:.0f} MB, more than {UPLOAD_MEMORY}")
        connection = http.client.HTTPConnection(large.url.hostname, large.url.port, timeout=300)
        connection.request("GET", f"/v1/files/{made['id']}/content", headers={"authorization": f"Bearer {large.gateway.key}"})
        answer = connection.getresponse()
        for _ in range(UPLOAD_MB):
            expect(answer.read(1 << 20) == block, "the content is not what was sent")
        more = large.memory("VmHWM") - before
        expect(more <= UPLOAD_MEMORY, f"reading it took {more:.0f} MB, more than {UPLOAD_MEMORY}")
        return f"{seconds:.1f} s, {more:.0f} MB more than {before:.0f} MB"


@checks.check(f"a batch of {LINES} requests: each asked once, each result once, in order", bound=1_700)
def batch(context):
    with Large(context) as large:
        before = large.memory("VmRSS")
        line = ('{"custom_id":"line-%d","method":"POST","url":"/v1/chat/completions","body":'
                '{"model":"scripted","messages":[{"role":"user","content":"text-%d"}]}}\n')
        lines = [(line % (index, index)).encode() for index in range(LINES)]
        source = large.upload(lines, sum(map(len, lines)))
        began = time.monotonic()
        made = large.json("POST", "/v1/batches", {
            "input_file_id": source["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"})
        path = f"/v1/batches/{made['id']}"
        times = {}

        def show():
            batch = large.json("GET", path)
            times.setdefault(batch["status"], time.monotonic() - began)
            return batch

        ended = until(show, lambda batch: batch["status"] in ("completed", "failed", "expired"), 1_600)
        equal((ended["status"], ended["errors"]), ("completed", None), "status and errors")
        equal(ended["request_counts"], {"total": LINES, "completed": LINES, "failed": 0}, "the counts")
        most = large.memory("VmHWM")
        output = large.ask("GET", f"/v1/files/{ended['output_file_id']}/content").splitlines()
        equal(len(output), LINES, "the number of results")
        for index, text in enumerate(output):
            result = json.loads(text)
            found = (result["custom_id"], result["response"]["body"]["choices"][0]["message"]["content"])
            equal(found, (f"line-{index}", f"text-{index}"), f"result {index}")
        equal(large.upstream.counts, {f"text-{index}": 1 for index in range(LINES)}, "the paid calls")
        expect(most - before <= BATCH_MEMORY, f"it took {most - before:.0f} MB, more than {BATCH_MEMORY}")
        steps = ", ".join(f"{name} after {seconds:.1f} s" for name, seconds in times.items())
        return f"{steps}; {most - before:.0f} MB more than {before:.0f} MB"


if __name__ == "__main__":
    checks.main("large", at_once=1)
