"""A disk that is full, a database that another process holds, a clock that is set: what the gateway's clients see of it, and what stays.

Each check has a gateway of its own. Small disks take root; without it that check is skipped.
"""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import threading

from checks import Checks, Script, Skipped, equal, expect, until
from gateway import Gateway

checks = Checks()
MESSAGES = {"anthropic-version": "2023-06-01"}
FORMS = (("/v1/chat/completions", {"model": "scripted"}, {}), ("/v1/messages", {"model": "claude-scripted", "max_tokens": 9}, MESSAGES))
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def running(context, name, folder=None, environment={}):
    """A gateway of the check's own, and the context that asks it."""
    gateway = Gateway(context.arguments.program, folder or pathlib.Path(context.arguments.folder, name), context.arguments.upstream)
    gateway.environment.update(environment)
    gateway.start()
    try:
        yield gateway, context.of(gateway.url, gateway.key)
        equal(gateway.stop(), [0], "its exit code after SIGTERM")
        log = gateway.log.read_text(errors="replace")
        expect("Fatal error" not in log and "Crash" not in log, f"its log tells of a crash: {log[-800:]}")
    finally:
        gateway.kill()


def ask(context, script, number=0, streams=False, timeout=60, **headers):
    path, body, more = FORMS[number % 2]
    body = json.dumps(body | {"stream": streams, "messages": [{"role": "user", "content": str(script)}]}).encode()
    return context.http("POST", path, headers=more | headers, body=body, timeout=timeout)


class Asking:
    """Requests under way, each in a thread of its own."""

    def __init__(self, context):
        self.context = context
        self.threads = []
        self.answers = []

    def add(self, script, number=0, **more):
        place = len(self.answers)
        self.answers.append(None)

        def run():
            try:
                self.answers[place] = ask(self.context, script, number, **more)
            except Exception as error:
                self.answers[place] = error

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def all(self, seconds=60):
        """All answers; what was raised instead is raised here."""
        for thread in self.threads:
            thread.join(seconds)
        for number, answer in enumerate(self.answers):
            expect(answer is not None, f"request {number} has no answer within {seconds} s")
            if isinstance(answer, Exception):
                raise AssertionError(f"request {number} ended with {type(answer).__name__}: {answer}")
        return self.answers


def text_of(answer):
    expect(answer.status == 200, f"the answer is a {answer.status}: {answer.data[:300]}")
    value = json.loads(answer.data)
    return value["choices"][0]["message"]["content"] if "choices" in value else value["content"][0]["text"]


def refused(answer, number, wanted):
    """The answer is the refusal that the table has, in the client's form."""
    expect(answer.data.startswith(b"{") and b'"error"' in answer.data, f"a {answer.status} is no refusal: {answer.data[:300]}")
    error = json.loads(answer.data)["error"]
    kind, code = ("server_error", wanted) if number % 2 == 0 else ("api_error", None)
    equal((answer.status, error["type"], error.get("code"), answer.getheader("x-should-retry")), (503, kind, code, "true"), "the refusal")


class Disk:
    """A small disk in memory."""

    def __init__(self, folder, mebibytes):
        self.path = pathlib.Path(folder)
        self.path.mkdir(parents=True)
        if os.geteuid() or libc.mount(b"none", os.fsencode(self.path), b"tmpfs", 0, f"size={mebibytes}m,mode=700".encode()):
            raise Skipped("mounting a small disk takes root")

    def fill(self):
        """Fills it to the last page."""
        with contextlib.suppress(OSError), open(self.path / "filler", "wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass

    def free(self):
        (self.path / "filler").unlink()

    def close(self):
        libc.umount2(os.fsencode(self.path), 2)


@checks.check("a full disk: refusals in either form, nothing paid for is lost, and all goes on", bound=100)
def full(context):
    disk = Disk(pathlib.Path(context.arguments.folder, "small"), 12)
    try:
        with running(context, "full", disk.path) as (gateway, there):
            equal([text_of(ask(there, Script(), number)) for number in range(2)], ["Hello"] * 2, "the answers before")
            # These are under way when the disk is full.
            held = [Script(hold="end", text=["x" * 30_000]) for _ in range(4)]
            asking = Asking(there)
            for number in range(4):
                asking.add(held[number], number, timeout=90)
            for script in held:
                context.upstream.wait(script.id, held=True)
            disk.fill()
            # The write-ahead log has room for a few more, until it does not.
            for number in range(2):
                filler = until(lambda: ask(there, Script(text=["y" * 200_000], id=None), number), lambda answer: answer.status != 200, 30)
                refused(filler, number, "storage_unavailable")
            # What is small may still find room. What is refused is not called.
            newcomers = [Script() for _ in range(8)]
            for number, script in enumerate(newcomers):
                answer = ask(there, script, number)
                if answer.status != 200:
                    refused(answer, number, "storage_unavailable")
                    equal(context.upstream.count(script.id), 0, "the calls for a request that was refused")
            upload = (b'--l\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--l\r\ncontent-disposition: form-data; name="file"; '
                      b'filename="a"\r\n\r\n' + b"z" * 500_000 + b"\r\n--l--\r\n")
            answer = there.http("POST", "/v1/files", headers={"content-type": "multipart/form-data; boundary=l"}, body=upload)
            refused(answer, 0, "storage_unavailable")
            equal(there.http("GET", "/health").status, 200, "its health")
            for script in held:
                context.upstream.release(script.id)
            disk.free()
            for number, answer in enumerate(asking.all(80)):
                if answer.status != 200:
                    # Its client was told to repeat it.
                    equal(answer.getheader("x-should-retry"), "true", f"x-should-retry of {answer.data[:200]}")
                    answer = ask(there, held[number], number, timeout=60, **{"x-stainless-retry-count": "1"})
                equal(len(text_of(answer)), 30_000, "the length of what was under way")
                equal(context.upstream.count(held[number].id), 1, "the paid calls of what was under way")
            equal(text_of(ask(there, Script())), "Hello", "the answer afterwards")
            answer = there.http("POST", "/v1/files", headers={"content-type": "multipart/form-data; boundary=l"}, body=upload)
            equal(json.loads(answer.data)["bytes"], 500_000, "the file's length")
            equal(len(json.loads(there.http("GET", "/v1/files").data)["data"]), 1, "the number of files")
    finally:
        disk.close()


LONG = "CLIENTS_MANY" in os.environ


@checks.check("a database that another process holds: no call before the commit, and all goes on" + (", after refusals" if LONG else ""), bound=280)
def locked(context):
    with running(context, "locked") as (gateway, there):
        held = Script(hold="end")
        begun = Asking(there)
        begun.add(held, timeout=250)
        context.upstream.wait(held.id, held=True)
        other = sqlite3.connect(gateway.folder / "queue.db", isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        context.upstream.release(held.id)
        scripts = [Script() for _ in range(6)]
        newcomers = Asking(there)
        for number in range(6):
            newcomers.add(scripts[number], number, streams=number > 3, timeout=250)
        if LONG:
            # The queue's patience is a minute, for what waits already and for what comes then.
            for number, answer in enumerate(newcomers.all(200)):
                refused(answer, number, "storage_unavailable")
        else:
            newcomers.threads[0].join(3)
        equal(there.http("GET", "/health").status, 200, "its health")
        equal([context.upstream.count(script.id) for script in scripts], [0] * 6, "the calls before their commit")
        other.execute("ROLLBACK")
        other.close()
        if not LONG:
            equal([answer.status for answer in newcomers.all()], [200] * 6, "the statuses of the newcomers")
            equal([context.upstream.count(script.id) for script in scripts], [1] * 6, "their paid calls")
        equal(text_of(begun.all()[0]), "Hello", "the answer of the call that was under way")
        equal(context.upstream.count(held.id), 1, "its paid calls")
        equal([text_of(ask(there, Script(), number)) for number in range(2)], ["Hello"] * 2, "the answers afterwards")


@checks.check("a clock that is set forward and back: each call is answered and paid once", bound=90)
def clock(context):
    compiler = shutil.which("cc")
    if not compiler:
        raise Skipped("there is no C compiler")
    folder = pathlib.Path(context.arguments.folder, "clock")
    folder.mkdir()
    library, shift = folder / "shift_clock.so", folder / "shift"
    source = pathlib.Path(__file__).parent.parent / "Faults" / "shift_clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    shift.write_bytes(struct.pack("l", 0))

    def set_clock(seconds):
        with open(shift, "r+b") as file:
            file.write(struct.pack("l", seconds))

    with running(context, "clock", folder, {"LD_PRELOAD": str(library), "SHIFT_FILE": str(shift)}) as (gateway, there):
        for step, seconds in enumerate((86_400, 0, 30 * 86_400, 3_600, 0)):
            held = [Script(hold=hold) for hold in ("head", 1, "end")]
            asking = Asking(there)
            for number in range(3):
                asking.add(held[number], streams=number == 1)
            for script in held:
                context.upstream.wait(script.id, held=True)
            set_clock(seconds)
            # New ones begin in the new time while the old ones end in it.
            equal([text_of(ask(there, Script(), number)) for number in range(2)], ["Hello"] * 2, f"the answers, {seconds} s ahead")
            for script in held:
                context.upstream.release(script.id)
            answers = asking.all(40)
            equal([answer.status for answer in answers], [200] * 3, f"the statuses of what was under way, {seconds} s ahead")
            expect(b"[DONE]" in answers[1].data, f"the stream has no end: {answers[1].data[-300:]}")
            equal([context.upstream.count(script.id) for script in held], [1] * 3, f"the paid calls, {seconds} s ahead")
            # A repetition finds its answer, for as long as the setting says by the clock.
            key = f"clock-{step}"
            script = Script()
            first = ask(there, script, **{"idempotency-key": key})
            again = ask(there, script, **{"idempotency-key": key})
            equal((text_of(first), text_of(again), context.upstream.count(script.id)), ("Hello", "Hello", 1), "two requests of one key")


@checks.check("the power goes while calls are under way: what was called is in the file, and what was answered is kept", bound=90)
def power(context):
    compiler = shutil.which("cc")
    if not compiler:
        raise Skipped("there is no C compiler")
    folder = pathlib.Path(context.arguments.folder, "power")
    (folder / "synced").mkdir(parents=True)
    source, library, restore = pathlib.Path(__file__).parent.parent / "Faults" / "powercut.c", folder / "powercut.so", folder / "powercut"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    subprocess.run([compiler, "-O1", "-DPOWERCUT_RESTORE", "-o", restore, source], check=True)
    gateway = Gateway(context.arguments.program, folder, context.arguments.upstream)
    database = folder / "queue.db"
    watched = {"LD_PRELOAD": str(library), "POWERCUT_DB": str(database), "POWERCUT_DIR": str(folder / "synced")}
    seed = int(os.environ.get("CLIENTS_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    sent, ended, stop, changing = {}, {}, threading.Event(), threading.Lock()

    def client(there, number):
        while not stop.is_set():
            script = Script(pause=chance.choice((0, 0.02)))
            with changing:
                sent[script.id] = (script, number)
            try:
                answer = ask(there, script, number, streams=False)
            except (OSError, http.client.HTTPException):
                return
            with changing:
                ended[script.id] = answer

    try:
        gateway.start()
        equal(gateway.stop(), [0], "the exit code of the first start, which makes the database")
        for cut in range(3):
            # What is there when it starts is on the disk.
            for suffix in ("", "-wal"):
                synced = folder / "synced" / f"durable{suffix}"
                synced.unlink(missing_ok=True)
                if pathlib.Path(f"{database}{suffix}").exists():
                    shutil.copyfile(f"{database}{suffix}", synced)
            gateway.environment.update(watched)
            gateway.start()
            there = context.of(gateway.url, gateway.key)
            stop.clear()
            threads = [threading.Thread(target=client, args=(there, number), daemon=True) for number in range(6)]
            for thread in threads:
                thread.start()
            enough = len(ended) + 8
            until(lambda: len(ended), lambda count: count >= enough, 20)
            threads[0].join(chance.uniform(0, 1))
            gateway.serve.kill()
            stop.set()
            for thread in threads:
                thread.join(30)
            for name in watched:
                gateway.environment.pop(name)
            subprocess.run([restore, database, folder / "synced", str(seed + cut)], check=True, capture_output=True)
            with contextlib.closing(sqlite3.connect(database)) as connection:
                equal(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)], f"the database's integrity (seed {seed})")
                tables = [name for name, in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")]
                stored = " ".join(str(row) for table in tables for row in connection.execute(f'SELECT * FROM "{table}"'))
            called = context.upstream.ask("counts")
            for identifier in sent:
                expect(not called.get(identifier) or identifier in stored, f"a call was made that is not in the file (seed {seed})")
        gateway.start()
        there = context.of(gateway.url, gateway.key)
        expect(len(ended) > 10, f"only {len(ended)} calls were answered")
        # All ask again: what was answered is not called again.
        before = context.upstream.ask("counts")
        for identifier, (script, number) in sent.items():
            equal(text_of(ask(there, script, number, **{"x-stainless-retry-count": "1"})), "Hello", f"the answer (seed {seed})")
        after = context.upstream.ask("counts")
        for identifier in ended:
            equal(after[identifier], before[identifier], f"the calls of what was answered before the power went (seed {seed})")
        equal(gateway.stop(), [0], "its exit code")
        return f"{len(ended)} of {len(sent)} calls were answered before"
    finally:
        gateway.kill()


if __name__ == "__main__":
    checks.main("storage", at_once=3)
