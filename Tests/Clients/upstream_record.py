"""What the scripted upstream was asked, the script in it, and which answers are held."""

import json
import threading
import time

HOLD_SECONDS = 60


class Call:
    """One request for an answer, as the server saw it."""

    def __init__(self, identifier, path, headers, body):
        self.id = identifier
        self.path = path
        self.headers = headers
        self.body = body
        self.began = time.monotonic()
        self.ended = None
        self.outcome = "open"


class Record:
    """Every call, and the answers that are held."""

    def __init__(self):
        self.changed = threading.Condition()
        self.calls = []
        self.released = set()
        self.held = set()

    def begin(self, call):
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()
            return sum(1 for other in self.calls if other.id == call.id and other.path == call.path)

    def end(self, call, outcome):
        with self.changed:
            call.ended = time.monotonic()
            call.outcome = outcome
            self.changed.notify_all()

    def hold(self, identifier):
        with self.changed:
            self.held.add(identifier)
            self.changed.notify_all()
            self.changed.wait_for(lambda: identifier in self.released, HOLD_SECONDS)
            self.held.discard(identifier)

    def release(self, identifier):
        with self.changed:
            self.released.add(identifier)
            self.changed.notify_all()

    def of(self, identifier):
        return [call for call in self.calls if call.id == identifier]

    def wait(self, identifier, calls, held, seconds):
        """Whether so many calls have come (and their answer is held), waiting for it."""
        with self.changed:
            return self.changed.wait_for(
                lambda: len(self.of(identifier)) >= calls and (not held or identifier in self.held), seconds)

    def answer(self, path, arguments):
        identifier = arguments.get("id", "")
        if path == "/control/release":
            self.release(identifier)
            return {}
        if path == "/control/wait":
            return {"met": self.wait(identifier, int(arguments["calls"]), arguments.get("held") == "1", float(arguments["seconds"]))}
        if path == "/control/calls":
            with self.changed:
                return [
                    {"id": call.id, "path": call.path, "headers": call.headers, "body": call.body, "outcome": call.outcome}
                    for call in self.calls if not identifier or call.id == identifier
                ]
        if path == "/control/counts":
            counts = {}
            with self.changed:
                for call in self.calls:
                    counts[call.id] = counts.get(call.id, 0) + 1
            return counts
        return None


def texts(content):
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts
            if isinstance(part, dict) and part.get("type") in ("text", "input_text") and isinstance(part.get("text"), str)]


def has_tool_result(messages):
    for message in messages:
        if not isinstance(message, dict):
            continue
        if message.get("role") == "tool" or message.get("type") == "function_call_output":
            return True
        if isinstance(message.get("content"), list) and any(
                isinstance(part, dict) and part.get("type") == "tool_result" for part in message["content"]):
            return True
    return False


def script_of(messages):
    """The newest script among the texts of users; a request without one gets the plain answer."""
    for message in reversed(messages):
        if not isinstance(message, dict) or message.get("role") != "user":
            continue
        for text in reversed(texts(message.get("content"))):
            start = text.find('{"id"')
            if start >= 0:
                try:
                    return json.JSONDecoder().raw_decode(text[start:])[0]
                except json.JSONDecodeError:
                    pass
    return {"id": "none"}
