"""Batches while the gateway is killed: during the upload, the reading of the file, the calls and the writing of the results. Each line is
answered exactly once, and paid at most once more for each kill. The gateways are the checks' own."""

import http.client
import json
import os
import pathlib
import random
import socket
import threading
import time

from checks import Checks, Script, equal, expect, until
from gateway import Gateway

checks = Checks()
SEED = int(os.environ.get("CLIENTS_SEED", random.randrange(1 << 30)))
MESSAGES = {"anthropic-version": "2023-06-01"}
KILLS = 5


class Killed:
    """A gateway that is killed and started again, and a client that asks until it is answered."""

    def __init__(self, context, name):
        self.gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, f"batches-{name}"), context.arguments.upstream)
        self.gateway.start()
        self.context = context.of(self.gateway.url, self.gateway.key)
        self.kills = []

    def kill(self):
        self.gateway.serve.kill()
        self.kills.append(time.monotonic())
        self.gateway.start()

    def ask(self, method, path, value=None, headers={}, body=None):
        """The answer, however often it has to be asked for."""
        if value is not None:
            body = json.dumps(value).encode()
        for number in range(200):
            try:
                retried = {"x-stainless-retry-count": str(number)} if number else {}
                answer = self.context.http(method, path, headers=headers | retried, body=body, timeout=30)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if answer.status not in (503, 529):
                expect(answer.status == 200, f"{method} {path} is a {answer.status}: {answer.data[:300]}")
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{method} {path} is never answered")

    def json(self, *arguments, **more):
        return json.loads(self.ask(*arguments, **more).data)

    def end(self):
        equal(self.gateway.stop(), [0], "its exit code")
        log = self.gateway.log.read_text(errors="replace")
        expect("Fatal error" not in log and "Crash" not in log, "its log tells of a crash")


def form(content):
    body = (b'--limit\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--limit\r\ncontent-disposition: form-data; name="file"; '
            b'filename="batch.jsonl"\r\n\r\n' + content + b"\r\n--limit--\r\n")
    return {"headers": {"content-type": "multipart/form-data; boundary=limit"}, "body": body}


def paid(killed, scripts):
    """No line was paid for more often than the kills since explain."""
    counts = killed.context.upstream.ask("counts")
    for script in scripts:
        expect(1 <= counts.get(script.id, 0) <= 1 + len(killed.kills), f"a line was paid {counts.get(script.id, 0)} times (seed {SEED})")


def killing(killed, batch_of, is_done):
    """Kills at moments that nobody chose, until it is done."""
    chance = random.Random(SEED)
    pause = threading.Event()
    for _ in range(KILLS):
        pause.wait(chance.uniform(0.05, 0.8))
        killed.kill()
        if is_done(batch_of()):
            break
    return until(batch_of, is_done, 60)


@checks.check("OpenAI: each line of a batch once, in order, whenever the gateway dies", bound=120)
def openai(context):
    context.needs_route("GET", "/v1/batches")
    killed = Killed(context, "openai")
    try:
        scripts = [Script(delay=0.05) for _ in range(60)]
        lines = b"".join(json.dumps({"custom_id": f"line-{index}", "method": "POST", "url": "/v1/chat/completions", "body": {
            "model": "up/scripted", "messages": [{"role": "user", "content": str(script)}]}}).encode() + b"\n" for index, script in enumerate(scripts))
        upload = form(lines)
        # Half of an upload is no file.
        with socket.create_connection(("127.0.0.1", killed.gateway.port)) as half:
            half.sendall((f"POST /v1/files HTTP/1.1\r\nhost: 127.0.0.1:{killed.gateway.port}\r\nauthorization: Bearer {killed.gateway.key}\r\n"
                          f"content-type: multipart/form-data; boundary=limit\r\ncontent-length: {len(upload['body'])}\r\n\r\n").encode()
                         + upload["body"][:len(lines) // 2])
            killed.kill()
        equal(killed.json("GET", "/v1/files")["data"], [], "the files after half an upload")
        source = killed.json("POST", "/v1/files", **upload)
        equal(source["bytes"], len(lines), "the length of the file")
        asked = {"input_file_id": source["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        batch = killed.json("POST", "/v1/batches", asked)
        killed.kill()
        identifier = batch["id"]
        batch = killing(killed, lambda: killed.json("GET", f"/v1/batches/{identifier}"),
                        lambda batch: batch["status"] in ("completed", "failed", "expired"))
        equal((batch["status"], batch["request_counts"]), ("completed", {"total": 60, "completed": 60, "failed": 0}), f"the batch (seed {SEED})")
        output = killed.ask("GET", f"/v1/files/{batch['output_file_id']}/content").data
        found = [json.loads(line) for line in output.splitlines()]
        equal([line["custom_id"] for line in found], [f"line-{index}" for index in range(60)], f"the lines of the output (seed {SEED})")
        equal({line["response"]["body"]["choices"][0]["message"]["content"] for line in found}, {"Hello"}, "the answers")
        equal(len(killed.json("GET", "/v1/batches")["data"]), 1, "the number of batches")
        paid(killed, scripts)
        killed.end()
        return f"{len(killed.kills)} kills"
    finally:
        killed.gateway.kill()


@checks.check("Anthropic: each request of a batch once, in order, whenever the gateway dies", bound=120)
def anthropic(context):
    context.needs_route("GET", "/v1/messages/batches", MESSAGES)
    killed = Killed(context, "anthropic")
    try:
        scripts = [Script(delay=0.05) for _ in range(60)]
        requests = [{"custom_id": f"line-{index}", "params": {"model": "claude-scripted", "max_tokens": 9, "messages": [
            {"role": "user", "content": str(script)}]}} for index, script in enumerate(scripts)]
        batch = killed.json("POST", "/v1/messages/batches", {"requests": requests}, MESSAGES)
        killed.kill()
        path = f"/v1/messages/batches/{batch['id']}"
        batch = killing(killed, lambda: killed.json("GET", path, None, MESSAGES), lambda batch: batch["processing_status"] == "ended")
        equal(batch["request_counts"], {"processing": 0, "succeeded": 60, "errored": 0, "canceled": 0, "expired": 0}, f"the counts (seed {SEED})")
        found = [json.loads(line) for line in killed.ask("GET", f"{path}/results", None, MESSAGES).data.splitlines()]
        equal([line["custom_id"] for line in found], [f"line-{index}" for index in range(60)], f"the lines of the results (seed {SEED})")
        equal({line["result"]["message"]["content"][0]["text"] for line in found}, {"Hello"}, "the answers")
        equal(len(killed.json("GET", "/v1/messages/batches", None, MESSAGES)["data"]), 1, "the number of batches")
        paid(killed, scripts)
        killed.end()
        return f"{len(killed.kills)} kills"
    finally:
        killed.gateway.kill()


if __name__ == "__main__":
    checks.main("batches")
