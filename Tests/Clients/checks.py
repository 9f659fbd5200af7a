"""What the checks of all clients share: how they are named, bounded, run and told."""

import argparse
import copy
import http.client
import json
import socket
import sys
import threading
import time
import traceback
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

BOUND = 40


class Skipped(Exception):
    """The check does not apply here; the reason is told."""


class Context:
    """Where the checks look: the gateway (or, with --direct, the upstream in its place), and the upstream that counts."""

    def __init__(self, label):
        parser = argparse.ArgumentParser()
        parser.add_argument("--gateway", required=True)
        parser.add_argument("--upstream", required=True)
        parser.add_argument("--key", default="unused")
        parser.add_argument("--direct", action="store_true")
        parser.add_argument("--only", default="")
        parser.add_argument("--program", help="the built program, for checks that start gateways of their own")
        parser.add_argument("--folder", help="where they keep their files")
        self.arguments = parser.parse_args()
        self.label = label
        self.gateway = self.arguments.gateway.rstrip("/")
        self.key = self.arguments.key
        self.direct = self.arguments.direct
        self.upstream = Upstream(self.arguments.upstream)

    def of(self, url, key):
        """The same for another gateway, or another key."""
        other = copy.copy(self)
        other.gateway, other.key = url, key
        return other

    def needs_gateway(self):
        if self.direct:
            raise Skipped("needs the gateway")

    def needs_route(self, method, path, headers={}):
        """Skips a check of a later slice while its route does not exist."""
        answer = self.http(method, path, headers=headers, body=b"{}" if method == "POST" else None)
        if answer.status == 404:
            raise Skipped(f"{path} is of a later slice")

    def http(self, method, path, headers={}, body=None, key=True, timeout=20):
        """One request without any SDK."""
        url = urllib.parse.urlsplit(self.gateway)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
        try:
            headers = dict(headers)
            if body is not None:
                headers.setdefault("content-type", "application/json")
            if key and "authorization" not in headers and "x-api-key" not in headers:
                headers["authorization"] = f"Bearer {self.key}"
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            response.data = response.read()
            return response
        finally:
            connection.close()


class Upstream:
    """The scripted upstream's controls."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)

    def ask(self, path, **arguments):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        try:
            connection.request("GET", f"/control/{path}?{urllib.parse.urlencode(arguments)}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def calls(self, identifier):
        return self.ask("calls", id=identifier)

    def count(self, identifier):
        return len(self.calls(identifier))

    def release(self, identifier):
        self.ask("release", id=identifier)

    def wait(self, identifier, calls=1, held=False, seconds=20):
        met = self.ask("wait", id=identifier, calls=calls, held=int(held), seconds=seconds)["met"]
        expect(met, f"the upstream was called {self.count(identifier)} times, not {calls}, within {seconds} s" + (" and holds" if held else ""))


class Script(str):
    """A prompt that tells the upstream how to answer it; its id is made here."""

    def __new__(cls, **script):
        identifier = script.pop("id", None) or uuid.uuid4().hex[:16]
        self = super().__new__(cls, json.dumps({"id": identifier, **script}))
        self.id = identifier
        return self


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(found, wanted, what="value"):
    if found != wanted:
        raise AssertionError(f"{what} is {found!r}, not {wanted!r}")


def raises(kind, action):
    """The error of the kind that the action must raise."""
    try:
        result = action()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised; the answer was {str(result)[:200]}")


def until(read, done, seconds=45):
    """Reads until it is done: clients of batches have no other way to wait."""
    deadline = time.monotonic() + seconds
    while not done(value := read()):
        expect(time.monotonic() < deadline, f"not done within {seconds} s: {value}")
        time.sleep(0.2)
    return value


def with_thread(action):
    threading.Thread(target=action, daemon=True).start()


class Cutter:
    """A server between a client and the gateway that loses the first connections when it is told to."""

    def __init__(self, target, cut=1):
        url = urllib.parse.urlsplit(target)
        self.target = (url.hostname, url.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.cut = cut
        self.connections = 0
        self.heads = []
        self.cuts = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            doomed = self.connections <= self.cut
            server = socket.create_connection(self.target)
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()
            if doomed:
                threading.Thread(target=self.lose, args=(client, server), daemon=True).start()

    def lose(self, client, server):
        self.cuts.wait()
        for connection in (client, server):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def copy(self, source, sink, heads):
        try:
            while data := source.recv(65536):
                if heads:
                    self.heads.append(data.split(b"\r\n\r\n")[0].decode("latin-1").lower())
                sink.sendall(data)
        except OSError:
            pass
        for connection in (source, sink):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait(self, connections):
        """Waits for so many connections."""
        until(lambda: self.connections, lambda count: count >= connections, 15)

    def close(self):
        self.cuts.set()
        self.listener.close()


class Checks:
    """The checks of one client, in the order they were written."""

    def __init__(self):
        self.all = []

    def check(self, name, bound=BOUND):
        def add(function):
            self.all.append((name, function, bound))
            return function

        return add

    def run(self, context, at_once=6):
        """Runs them, a few at a time, and tells each on a line. The exit code."""
        failed = []
        telling = threading.Lock()

        def run_one(entry):
            name, function, bound = entry
            began = time.monotonic()
            outcome = []

            def body():
                try:
                    outcome.append(("ok", function(context) or ""))
                except Skipped as reason:
                    outcome.append(("skipped", str(reason)))
                except Exception as error:
                    place = traceback.extract_tb(error.__traceback__)
                    own = [frame for frame in place if "/Tests/Clients/" in frame.filename and frame.name not in ("expect", "equal", "raises", "wait")]
                    line = f" (line {own[-1].lineno})" if own else ""
                    outcome.append(("FAILED", f"{type(error).__name__}: {error}"[:1500] + line))

            thread = threading.Thread(target=body, daemon=True)
            thread.start()
            thread.join(bound)
            word, detail = outcome[0] if outcome else ("FAILED", f"no end within {bound} s")
            with telling:
                if word == "FAILED":
                    failed.append(name)
                detail = f": {detail}" if detail else ""
                print(f"{word:7} {context.label}: {name}{detail} ({time.monotonic() - began:.1f} s)", flush=True)

        chosen = [entry for entry in self.all if context.arguments.only in entry[0]]
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(run_one, chosen))
        return 1 if failed else 0

    def main(self, label, at_once=6):
        sys.exit(self.run(Context(label), at_once))
