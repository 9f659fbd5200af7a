"""Kills the gateway, a worker or both while SDKs that retry have calls under way, and counts what was paid.

What must hold: each call ends with its answer; and it was paid once, and once more for each kill of the process that was making it.
"""

import argparse
import json
import os
import pathlib
import random
import socket
import sqlite3
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from checks import Script, Upstream, equal, expect, until
from gateway import Gateway

POINTS = ("head", 1, "end")
CALL_SECONDS = 60
BATCH_LINES = 600


class OpenAI:
    def __init__(self, url, key):
        import openai

        self.errors = (openai.APIError, self.transport())
        self.sdk = openai.OpenAI(api_key=key, base_url=url + "/v1", max_retries=8, timeout=30)

    @staticmethod
    def transport():
        try:
            import httpx
        except ImportError:
            import httpx2 as httpx
        return httpx.HTTPError

    def ask(self, script, streams):
        answer = self.sdk.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": str(script)}], stream=streams)
        if not streams:
            return answer.choices[0].message.content
        text, finish = "", None
        for chunk in answer:
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
        return text if finish else None


class Anthropic:
    transport = staticmethod(OpenAI.transport)

    def __init__(self, url, key):
        import anthropic

        self.errors = (anthropic.APIError, self.transport())
        self.sdk = anthropic.Anthropic(api_key=key, base_url=url, max_retries=8, timeout=30)

    def ask(self, script, streams):
        asked = {"model": "claude-scripted", "max_tokens": 100, "messages": [{"role": "user", "content": str(script)}]}
        if not streams:
            return self.sdk.messages.create(**asked).content[0].text
        text, ended = "", False
        for event in self.sdk.messages.create(stream=True, **asked):
            if event.type == "content_block_delta":
                text += event.delta.text
            ended = ended or event.type == "message_stop"
        return text if ended else None


def ask_until_answered(client, script, streams, seconds=CALL_SECONDS):
    """What a careful program does: a call that breaks is made again, until it is answered."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            text = client.ask(script, streams)
            if text is not None:
                return text
        except client.errors as error:
            last = error
        else:
            last = "a stream without its end"
        expect(time.monotonic() < deadline, f"no answer within {seconds} s: {last}")
        time.sleep(0.05)


class Run:
    """One gateway with the scripted upstream behind it, killed and started again."""

    def __init__(self, arguments, name):
        self.upstream = Upstream(arguments.upstream)
        self.client = {"openai": OpenAI, "anthropic": Anthropic}[arguments.sdk]
        self.gateway = Gateway(arguments.program, pathlib.Path(arguments.folder, name), arguments.upstream)

    def start(self, separate):
        self.options = ("--no-worker",) if separate else ()
        self.gateway.start(*self.options)
        if separate:
            self.gateway.start_worker()
        self.calls = self.client(self.gateway.url, self.gateway.key)
        return self

    def kill(self, victim):
        processes = {"gateway": [self.gateway.serve], "worker": [self.gateway.worker], "both": [self.gateway.serve, self.gateway.worker]}
        for process in processes[victim]:
            process.kill()
        if victim != "worker":
            self.gateway.start(*self.options)
        if victim != "gateway":
            self.gateway.start_worker()

    def end(self):
        for code in self.gateway.stop():
            equal(code, 0, "an exit code after SIGTERM")
        log = self.gateway.log.read_text(errors="replace")
        expect("Fatal error" not in log and "Crash" not in log, "the gateway's log tells of a crash")


def held(arguments, victim, separate):
    """Kills while calls stand at each point: before the head, after the first piece, before the end; streamed and not."""
    run = Run(arguments, f"{arguments.sdk}-{victim}-{'separate' if separate else 'inside'}").start(separate)
    try:
        cases = [(Script(hold=point), streams) for point in POINTS for streams in (False, True)]
        with ThreadPoolExecutor(len(cases)) as pool:
            answers = [pool.submit(ask_until_answered, run.calls, *case) for case in cases]
            for script, _ in cases:
                run.upstream.wait(script.id, held=True)
            run.kill(victim)
            for script, _ in cases:
                run.upstream.release(script.id)
            for answer, (script, streams) in zip(answers, cases):
                equal(answer.result(CALL_SECONDS + 10), "Hello", f"the answer of {script}, {'streamed' if streams else 'whole'}")
        # A separate worker's calls do not end with the gateway.
        paid = 1 if separate and victim == "gateway" else 2
        for script, streams in cases:
            equal(run.upstream.count(script.id), paid, f"the paid calls of {script}, {'streamed' if streams else 'whole'}")
        run.end()
    finally:
        run.gateway.kill()


def before_commit(arguments):
    """Kills while a request's body arrives: nothing was committed, nothing is called."""
    run = Run(arguments, f"{arguments.sdk}-before").start(False)
    try:
        url = urllib.parse.urlsplit(run.gateway.url)
        script = Script()
        body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": str(script)}]}).encode()
        connection = socket.create_connection((url.hostname, url.port), timeout=20)
        connection.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\nauthorization: Bearer {run.gateway.key}\r\n"
                            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode() + body[:-1])
        run.kill("gateway")
        equal(run.upstream.count(script.id), 0, "the calls of a request that never was whole")
        equal(ask_until_answered(run.calls, script, False), "Hello")
        equal(run.upstream.count(script.id), 1, "the paid calls")
        run.end()
    finally:
        run.gateway.kill()


def kept_answer(arguments):
    """Kills after the answer is stored and before the client reads it: it reads it from the next gateway, unpaid."""
    run = Run(arguments, f"{arguments.sdk}-kept").start(False)
    try:
        script = Script(hold="end")
        url = urllib.parse.urlsplit(run.gateway.url)
        body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": str(script)}]}).encode()
        connection = socket.create_connection((url.hostname, url.port), timeout=20)
        connection.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\nauthorization: Bearer {run.gateway.key}\r\n"
                            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode() + body)
        run.upstream.wait(script.id, held=True)
        # The client is gone; the answer is finished and stored without it.
        connection.close()
        run.upstream.release(script.id)
        until(lambda: run.gateway.run("list", "--state", "completed", "--json"), lambda text: '"completed"' in text, 20)
        run.kill("gateway")
        import http.client

        again = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        again.request("POST", "/v1/chat/completions", body, {
            "authorization": f"Bearer {run.gateway.key}", "content-type": "application/json", "x-stainless-retry-count": "1"})
        response = again.getresponse()
        equal(json.loads(response.read())["choices"][0]["message"]["content"], "Hello")
        equal(response.getheader("x-agent-queue-attached"), "true", "x-agent-queue-attached")
        equal(run.upstream.count(script.id), 1, "the paid calls")
        run.end()
    finally:
        run.gateway.kill()


def storm(arguments, separate):
    """Kills at moments nobody chose while many short calls go on: between any two commits, in time."""
    seed = int(os.environ.get("CLIENTS_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    run = Run(arguments, f"{arguments.sdk}-storm-{'separate' if separate else 'inside'}").start(separate)
    kills, spans, changing = [], {}, threading.Lock()
    stop = threading.Event()

    def client(number):
        choice = random.Random(seed + number)
        while not stop.is_set():
            script = Script(pause=choice.choice((0, 0, 0.02)))
            began = time.monotonic()
            text = ask_until_answered(run.calls, script, choice.random() < 0.5)
            with changing:
                spans[script.id] = (began, time.monotonic(), text)

    try:
        with ThreadPoolExecutor(6) as pool:
            clients = [pool.submit(client, number) for number in range(6)]
            try:
                for _ in range(arguments.kills):
                    stop.wait(chance.uniform(0.3, 0.9))
                    victim = chance.choice(("gateway", "worker", "both")) if separate else "gateway"
                    kills.append(time.monotonic())
                    run.kill(victim)
            finally:
                stop.set()
            for each in clients:
                each.result(CALL_SECONDS + 20)
        counts = run.upstream.ask("counts")
        for identifier, (began, ended, text) in spans.items():
            equal(text, "Hello", f"an answer (seed {seed})")
            most = 1 + sum(began <= kill <= ended for kill in kills)
            expect(1 <= counts[identifier] <= most, f"{counts[identifier]} calls were paid for one, not {most} at most (seed {seed})")
        run.end()
        paid = sum(counts[identifier] for identifier in spans)
        return f"{len(spans)} calls, {len(kills)} kills, {paid} paid"
    finally:
        stop.set()
        run.gateway.kill()


class Batches:
    """Batches as each SDK has them: made, waited for, and read as pairs of a custom_id and a text."""

    def __init__(self, calls, sdk):
        self.sdk, self.is_openai = calls.sdk, sdk == "openai"

    def create(self, scripts):
        if self.is_openai:
            lines = "".join(json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {
                "model": "scripted", "messages": [{"role": "user", "content": str(script)}]}}) + "\n" for name, script in scripts.items())
            source = self.sdk.files.create(file=("batch.jsonl", lines.encode()), purpose="batch")
            return self.sdk.batches.create(
                input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h").id
        return self.sdk.messages.batches.create(requests=[{"custom_id": name, "params": {
            "model": "claude-scripted", "max_tokens": 100, "messages": [{"role": "user", "content": str(script)}]}}
            for name, script in scripts.items()]).id

    def has_ended(self, identifier):
        if self.is_openai:
            status = self.sdk.batches.retrieve(identifier).status
            expect(status not in ("failed", "expired", "cancelled"), f"the batch is {status}")
            return status == "completed"
        return self.sdk.messages.batches.retrieve(identifier).processing_status == "ended"

    def results(self, identifier):
        if self.is_openai:
            output = self.sdk.files.content(self.sdk.batches.retrieve(identifier).output_file_id).text
            lines = [json.loads(line) for line in output.splitlines()]
            return [(line["custom_id"], line["response"]["body"]["choices"][0]["message"]["content"]) for line in lines]
        return [(entry.custom_id, entry.result.message.content[0].text) for entry in self.sdk.messages.batches.results(identifier)]


def batch(arguments):
    """Kills while a batch is read, while it runs and while its results are written: each request has one result, in order."""
    run = Run(arguments, f"{arguments.sdk}-batch").start(False)
    try:
        batches = Batches(run.calls, arguments.sdk)
        scripts = {f"line-{index}": Script() for index in range(BATCH_LINES)}
        identifier = batches.create(scripts)
        kills = []
        database = sqlite3.connect(f"file:{run.gateway.folder}/queue.db?mode=ro", uri=True, timeout=20)

        def state():
            """Where the batch is: how many requests were read, how many have ended, and its state."""
            return database.execute(
                "SELECT (SELECT count(*) FROM client_lines WHERE client_batch = client_batches.id), "
                "succeeded + failed + cancelled + expired, state FROM client_batches WHERE public_id = ?", (identifier,)).fetchone()

        def kill_when(what, condition):
            deadline = time.monotonic() + CALL_SECONDS
            while not condition(*(now := state())):
                if now[2] == "completed":
                    return
                expect(time.monotonic() < deadline, f"{what} was not reached within {CALL_SECONDS} s: {now}")
                time.sleep(0.001)
            run.kill("gateway")
            kills.append(what)

        kill_when("creation", lambda read, ended, name: True)
        kill_when("some requests read", lambda read, ended, name: 0 < read < BATCH_LINES)
        kill_when("all requests read", lambda read, ended, name: read == BATCH_LINES)
        kill_when("half of them ended", lambda read, ended, name: ended >= BATCH_LINES // 2)
        kill_when("results being written", lambda read, ended, name: name == "finalizing")
        kill_when("results being written again", lambda read, ended, name: name == "finalizing")
        until(lambda: batches.has_ended(identifier), bool, 2 * CALL_SECONDS)
        equal(batches.results(identifier), [(name, "Hello") for name in scripts], "the results")
        counts = run.upstream.ask("counts")
        paid = [counts.get(script.id, 0) for script in scripts.values()]
        # A kill loses the calls that were under way, sixteen at most.
        expect(min(paid) >= 1 and sum(paid) <= BATCH_LINES + 16 * len(kills), f"{sum(paid)} calls were paid for {BATCH_LINES} requests")
        database.close()
        run.end()
        return f"{BATCH_LINES} requests, {sum(paid)} paid; killed at: {', '.join(kills)}"
    finally:
        run.gateway.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sdk", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    cases = [("gateway killed at each point", lambda: held(arguments, "gateway", False))]
    cases += [(f"{victim} killed at each point, worker apart", lambda victim=victim: held(arguments, victim, True))
              for victim in ("gateway", "worker", "both")]
    cases += [("gateway killed before the first commit", lambda: before_commit(arguments)),
              ("gateway killed after the last commit", lambda: kept_answer(arguments)),
              ("gateway killed in each part of a batch's life", lambda: batch(arguments)),
              ("gateway killed at random", lambda: storm(arguments, False)),
              ("gateway and worker killed at random", lambda: storm(arguments, True))]
    failed = 0
    for name, case in cases:
        if arguments.only not in name:
            continue
        began = time.monotonic()
        try:
            word, detail = "ok", case() or ""
        except Exception as error:
            word, detail, failed = "FAILED", f"{type(error).__name__}: {error}"[:1500], 1
        print(f"{word:7} {arguments.sdk}, faults: {name}{': ' if detail else ''}{detail} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
