"""An upstream that stalls, breaks off, lies about lengths, talks nonsense or never ends. The gateway is the checks' own, and impatient.

What must hold whatever it sends: the client gets the whole answer, from a further attempt if need be, or an error in its API's form; never
half an answer that looks whole, never two ends, and never silence.
"""

import http.client
import json
import os
import pathlib
import socket
import threading

from checks import Checks, Context, Script, equal, expect
from gateway import Gateway

checks = Checks()
LONG = "CLIENTS_MANY" in os.environ
IMPATIENCE = "http: { request_timeout: 8s, first_byte_timeout: 2s, idle_timeout: 1s }\n"
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
STREAM = HEAD.format(kind="text/event-stream") + "connection: close\r\n\r\n"
FORMS = {
    "chat": ("/v1/chat/completions", {"model": "scripted"}, {}),
    "messages": ("/v1/messages", {"model": "claude-scripted", "max_tokens": 50}, {"anthropic-version": "2023-06-01"}),
}


def whole(body, *, length=None, kind="application/json", head=""):
    length = len(body) if length is None else length
    return HEAD.format(kind=kind) + f"content-length: {length}\r\n{head}\r\n{body}"


def chat_chunk(delta, finish=None):
    return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [
        {"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"


def event(kind, **more):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"


def delta(text, index=0):
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


CHAT = {"begin": chat_chunk({"role": "assistant", "content": ""}), "piece": chat_chunk({"content": "Hel"}), "rest": chat_chunk({"content": "lo"}),
        "finish": chat_chunk({}, "stop"), "end": "data: [DONE]\n\n"}
MESSAGES = {
    "begin": event("message_start", message={"id": "m", "type": "message", "role": "assistant", "model": "claude-scripted", "content": [],
                                             "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 1}})
    + event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    "piece": delta("Hel"), "rest": delta("lo"),
    "finish": event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 2}),
    "end": event("message_stop"),
}
CHAT_BODY = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
MESSAGES_BODY = json.dumps({"id": "m", "type": "message", "role": "assistant", "model": "claude-scripted", "content": [{"type": "text", "text": "Hello"}],
                            "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}})


def lies(form):
    """Answers that are not streamed and not what they should be."""
    body = CHAT_BODY if form == "chat" else MESSAGES_BODY
    yield "nothing", ""
    yield "no HTTP", "Hello?\r\n\r\n"
    yield "a version that is none", "HTTP/9.9 200 OK\r\n\r\n"
    yield "a length beyond the end", whole(body, length=len(body) + 100)
    yield "a length short of the end", whole(body, length=len(body) - 30)
    yield "a length that is no number", whole(body, length="many")
    yield "two lengths", whole(body, head="content-length: 3\r\n")
    yield "a length and chunks", whole(body, head="transfer-encoding: chunked\r\n")
    yield "a chunk without a size", HEAD.format(kind="application/json") + f"transfer-encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n"
    yield "chunks without an end", HEAD.format(kind="application/json") + f"transfer-encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n"
    yield "an empty body", whole("")
    yield "a page", whole("<html>Sign in</html>", kind="text/html")
    yield "nested without end", whole("[" * 100_000)
    for other in ("null", "[]", "{}", '"Hello"', '{"choices":[]}', '{"choices":null}', '{"choices":[{}]}', '{"content":7}'):
        yield other, whole(other)
    yield "no content", "HTTP/1.1 204 No Content\r\n\r\n"
    yield "an endless head", "HTTP/1.1 200 OK\r\n" + "x-filler: " + "x" * 200_000 + "\r\n\r\n"
    yield "several answers", whole("{}") + whole(body)


def broken_streams(form):
    """Streams that are not what they should be, each with whether they hold the whole answer all the same."""
    parts = CHAT if form == "chat" else MESSAGES
    good = "".join(parts.values())
    begun = parts["begin"] + parts["piece"]
    yield "nothing", STREAM, False
    yield "an end alone", STREAM + parts["end"], False
    yield "a beginning and an end", STREAM + parts["begin"] + parts["end"], False
    yield "no end", STREAM + begun + parts["rest"], False
    yield "half an event", STREAM + begun + parts["rest"][:20], False
    yield "no JSON", STREAM + begun + "data: {no json}\n\n" + parts["rest"] + parts["finish"] + parts["end"], False
    yield "other values", STREAM + begun + "data: [1,2]\n\ndata: null\n\n", False
    yield "a body instead", whole("{}"), False
    yield "a page", whole("<html>Sign in</html>", kind="text/html"), False
    yield "a length beyond the end", HEAD.format(kind="text/event-stream") + f"content-length: {len(begun) + 9}\r\n\r\n{begun}", False
    yield "a chunk that breaks off", HEAD.format(kind="text/event-stream") + f"transfer-encoding: chunked\r\n\r\n{len(begun) + 9:x}\r\n{begun}", False
    yield "a line without an end", STREAM + "data: " + "x" * 300_000, False
    yield "two ends", STREAM + good + parts["end"], True
    yield "two answers", STREAM + good + good, True
    yield "text after the end", STREAM + good + parts["rest"], True
    yield "comments and strange fields", STREAM + ": hello\nretry: 1\nid: 7\nevent\n\n" + good.replace("\n\n", "\n\n: more\n\n"), True
    yield "lines that end otherwise", STREAM + good.replace("\n", "\r\n"), True


def outcome(form, answer, streams):
    """What the client makes of an answer: its text, or None and the error."""
    data = answer.data.decode()
    if not streams or answer.status != 200:
        value = json.loads(data)
        if answer.status != 200:
            expect(value["error"]["message"] and value["error"]["type"], f"an error without a message: {data[:300]}")
            expect(form == "chat" or value["type"] == "error", f"an error of another API: {data[:300]}")
            return None, answer.status
        return (value["choices"][0]["message"]["content"] if form == "chat" else "".join(part["text"] for part in value["content"])), None
    text, ends, error = "", 0, None
    for line in data.split("\n"):
        if not line.startswith("data: "):
            continue
        expect(not ends and not error, f"something follows the end: {data[-500:]}")
        if line == "data: [DONE]":
            ends += 1
            continue
        value = json.loads(line[6:])
        if "error" in value:
            error = value["error"]
        elif form == "chat":
            text += "".join(choice["delta"].get("content") or "" for choice in value["choices"])
        elif value["type"] == "content_block_delta":
            text += value["delta"]["text"]
        elif value["type"] == "message_stop":
            ends += 1
    expect(ends or error, f"neither an end nor an error: {data[-500:]}")
    return (text, None) if ends else (None, error)


def ask(context, form, script, streams, **headers):
    path, body, more = FORMS[form]
    body = json.dumps(body | {"stream": streams, "messages": [{"role": "user", "content": str(script)}]}).encode()
    return context.http("POST", path, headers=more | headers, body=body, timeout=60)


def attempts(context, form, cases, streams):
    """Asks with each case: first it is the first attempt's answer, and the second attempt is well; then it is all attempts' answer."""
    failures = []

    def one(name, raw, is_whole, first_only):
        try:
            script = Script(raw=[raw] if first_only else raw)
            text, error = outcome(form, ask(context, form, script, streams), streams)
            if first_only and "anew" in str(error):
                # What was shown and what the further attempt says differ: the client's repetition gets that.
                answer = ask(context, form, script, streams, **{"x-stainless-retry-count": "1"})
                equal(answer.getheader("x-agent-queue-attached"), "true", "x-agent-queue-attached")
                text, error = outcome(form, answer, streams)
            calls = context.upstream.count(script.id)
            if first_only:
                equal((text, calls), ("Hello", 1 if is_whole else 2), f"the answer (or {error}) and the calls")
            elif is_whole:
                equal(text, "Hello", f"the answer (or {error})")
            else:
                expect(text is None, f"the client took this for an answer: {text!r}")
                expect(2 <= calls <= 5, f"there were {calls} attempts")
        except Exception as fault:
            failures.append(f"{name}, {'once' if first_only else 'always'}: {type(fault).__name__}: {fault}"[:400])

    # Five attempts take their time.
    threads = [threading.Thread(target=one, args=(name, raw, is_whole, first_only), daemon=True) for name, raw, is_whole in cases
               for first_only in ((True, False) if name in ("nothing", "a length beyond the end", "no end", "two ends") else (True,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(140)
    expect(not any(thread.is_alive() for thread in threads), "an answer has no end")
    expect(not failures, f"{len(failures)} of {len(threads)}: " + " | ".join(failures))
    return f"{len(threads)} answers"


for form in FORMS:
    @checks.check(f"{form}: answers that are not what they should be", bound=150)
    def broken_answers(context, form=form):
        return attempts(context, form, [(name, raw, False) for name, raw in lies(form)], False)

    @checks.check(f"{form}: streams that are not what they should be", bound=150)
    def broken_events(context, form=form):
        return attempts(context, form, list(broken_streams(form)), True)

    # Five attempts that each wait for a time-out take long.
    @(checks.check(f"{form}: an upstream that stalls is given up, before the head and after it", bound=150) if form == "chat" or LONG else lambda check: check)
    def stalls(context, form=form):
        failures = []

        def one(name, script, streams):
            try:
                text, error = outcome(form, ask(context, form, script, streams), streams)
                expect(text is None and error, f"{name}: the answer is {text!r}")
            except http.client.IncompleteRead:
                # It had begun, in spaces, to keep its client.
                expect(not streams, f"{name}: the stream was cut")
            except Exception as fault:
                failures.append(f"{name}: {fault}"[:400])

        threads = [threading.Thread(target=one, args=case, daemon=True) for case in (
            ("silent before the head", Script(delay=20), True), ("silent before the second piece", Script(pause=4), True),
            ("silent before the end", Script(hold="end"), True), ("silent without a stream", Script(delay=20), False))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(140)
        expect(not any(thread.is_alive() for thread in threads), "an answer has no end")
        expect(not failures, " | ".join(failures))


@checks.check("a redirection is not followed: the provider's key goes nowhere else")
def redirected(context):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        for form in FORMS:
            for status in (301, 302, 307, 308):
                raw = f"HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{listener.getsockname()[1]}/v1\r\ncontent-length: 0\r\n\r\n"
                text, error = outcome(form, ask(context, form, Script(raw=raw), False), False)
                expect(text is None and error, f"the answer to a {status} is {text!r}")
        try:
            listener.accept()
        except TimeoutError:
            return
        raise AssertionError("the gateway has followed a redirection")


@checks.check("an answer without end is cut off, and memory stays bounded", bound=150)
def flood(context):
    piece = chat_chunk({"content": "x" * 60_000})
    before = memory(context, "VmRSS")
    # From here on the peak counts.
    pathlib.Path(f"/proc/{context.serve.process.pid}/clear_refs").write_text("5")
    script = Script(raw=[STREAM + CHAT["begin"]], flood=[piece, 1500])
    text, error = outcome("chat", ask(context, "chat", script, True), True)
    expect(text is None and error, f"an answer of {len(text or '')} characters was let through")
    script = Script(raw=[HEAD.format(kind="application/json") + "\r\n"], flood=["x" * 60_000, 1500])
    equal(outcome("chat", ask(context, "chat", script, False), False), ("Hello", None), "the further attempt's answer")
    grown = memory(context, "VmHWM") - before
    expect(grown < 300, f"the gateway grew by {grown} MiB")
    return f"{grown} MiB"


def memory(context, name):
    """A line of the gateway's memory in MiB."""
    status = pathlib.Path(f"/proc/{context.serve.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) // 1024


def main():
    context = Context("unreliable")
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "unreliable"), context.arguments.upstream, IMPATIENCE)
    gateway.start()
    try:
        context.serve = gateway.serve
        context = context.of(gateway.url, gateway.key)
        failed = checks.run(context, at_once=3)
        log = gateway.log.read_text(errors="replace")
        if gateway.stop() != [0] or "Fatal error" in log or "Crash" in log:
            print(f"FAILED  unreliable: the gateway broke: {log[-2000:]}")
            failed = 1
        return failed
    finally:
        gateway.kill()


if __name__ == "__main__":
    raise SystemExit(main())
