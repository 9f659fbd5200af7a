"""Every failure that a client can meet, in the words of either API: before the head of the answer, in a stream that has begun, and after
spaces that kept the client. The gateway is the checks' own."""

import http.client
import json
import pathlib
import re
import signal
import threading
import time

from checks import Checks, Context, Script, equal, expect, until
from gateway import Gateway

checks = Checks()
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
TARGETS = {"chat": "up/scripted", "messages": "up-anthropic/claude-scripted", "responses": "up-responses/scripted"}
REQUEST, SERVER = "invalid_request_error", "server_error"
# For each failure: OpenAI's status, type and code; Anthropic's status and type; x-should-retry.
TABLE = {
    "malformed": (400, REQUEST, None, 400, REQUEST, None),
    "unsupported": (400, REQUEST, "unsupported_parameter", 400, REQUEST, None),
    "key": (401, REQUEST, "invalid_api_key", 401, "authentication_error", None),
    "forbidden": (403, REQUEST, "permission_denied", 403, "permission_error", None),
    "model": (404, REQUEST, "model_not_found", 404, "not_found_error", None),
    "path": (404, REQUEST, "not_found", 404, "not_found_error", None),
    "method": (405, REQUEST, None, 405, REQUEST, None),
    "media": (415, REQUEST, None, 415, REQUEST, None),
    "size": (413, REQUEST, "request_too_large", 413, "request_too_large", None),
    "conflict": (422, REQUEST, "idempotency_conflict", 422, REQUEST, "false"),
    "budget": (429, "insufficient_quota", "insufficient_quota", 402, "billing_error", "false"),
    "rate": (429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error", "false"),
    "paused": (503, SERVER, "provider_unavailable", 503, "api_error", "false"),
    "waiting": (503, SERVER, "server_is_overloaded", 529, "overloaded_error", "true"),
    "stopping": (503, SERVER, "shutting_down", 503, "api_error", "true"),
    "reply": (502, SERVER, "invalid_reply", 502, "api_error", "false"),
    "time": (504, SERVER, "timeout", 504, "timeout_error", "false"),
    "cancelled": (499, SERVER, "cancelled", 499, "api_error", "false"),
    "refused": (400, REQUEST, None, 400, REQUEST, "false"),
    "upstream": (500, SERVER, None, 500, "api_error", "false"),
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def body(form, script, streams=False, target=None, **more):
    value = {"model": target or TARGETS[form], "stream": streams} | more
    if form == "responses":
        return value | {"input": str(script)}
    return value | {"max_tokens": 50, "messages": [{"role": "user", "content": str(script)}]}


def ask(context, form, value, method="POST", path=None, **headers):
    data = value if isinstance(value, (bytes, type(None))) else json.dumps(value).encode()
    more = {"anthropic-version": "2023-06-01"} if form == "messages" else {}
    return context.http(method, path or PATHS[form], headers=more | headers, body=data, timeout=80)


def check_error(form, name, error, where):
    """The error's members, as the API has them."""
    row = TABLE[name]
    if form == "messages":
        equal(error["type"], row[4], f"{where}: the type")
    else:
        equal((error["type"], error["code"]), row[1:3], f"{where}: type and code")
        expect("param" in error, f"{where}: 'param' is missing")
    expect(len(error["message"]) > 10, f"{where}: the message is {error['message']!r}")


def refused(form, name, answer, wanted=None):
    """The answer is the failure's row of the table."""
    where, row = f"{name}, {form}", TABLE[name]
    equal(answer.status, row[3] if form == "messages" else row[0], f"{where} ({answer.data[:300]}): the status")
    equal(answer.getheader("x-should-retry"), row[5], f"{where}: x-should-retry")
    value = json.loads(answer.data)
    expect(answer.getheader("x-request-id") and answer.getheader("x-request-id") == answer.getheader("request-id"), f"{where}: no request's id")
    if form == "messages":
        equal(value["type"], "error", f"{where}: the body's type")
        if name not in ("refused", "upstream"):
            equal(value["request_id"], answer.getheader("request-id"), f"{where}: request_id")
    elif name != "refused":
        equal(list(value["error"]), ["message", "type", "param", "code"], f"{where}: the members")
    check_error(form, name, value["error"], where)


def key(context, name, *options):
    return context.of(context.gateway, re.search(r"aq-\S+", context.serve.run("keys", "create", name, *options))[0])


def cancel(context, script):
    """Cancels the job of a prompt once its call is held."""
    context.upstream.wait(script.id, held=True)
    jobs = json.loads(context.http("GET", "/api/jobs?limit=100").data)["jobs"]
    job = next(job["id"] for job in jobs if script.id in json.dumps(job))
    context.serve.run("cancel", str(job))


@checks.check("what is wrong with a request", bound=90)
def wrong_requests(context):
    reader, narrow = key(context, "reader", "--scopes", "read"), key(context, "narrow", "--targets", "other/*")
    unknown = context.of(context.gateway, "aq-1-" + "B" * 43)
    for form, other in (("chat", "messages"), ("messages", "chat")):
        good = body(form, Script())
        refused(form, "malformed", ask(context, form, b'{"model":'))
        refused(form, "malformed", ask(context, form, {"model": TARGETS[form], "max_tokens": 9}))
        strange = {"logit_bias": {"1": 1}} if form == "chat" else {"top_k": 3, "mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}
        refused(form, "unsupported", ask(context, form, body(form, Script(), target=TARGETS[other], **strange)))
        refused(form, "key", ask(unknown, form, good))
        refused(form, "forbidden", ask(reader, form, good))
        refused(form, "forbidden", ask(narrow, form, good))
        refused(form, "forbidden", ask(context, form, good, host="evil.example"))
        refused(form, "forbidden", ask(context, form, good, origin="https://evil.example"))
        refused(form, "model", ask(context, form, good | {"model": "nobody/knows"}))
        refused(form, "path", ask(context, form, None, "GET", PATHS[form] + "/of/nobody"))
        answer = ask(context, form, None, "GET")
        refused(form, "method", answer)
        equal(answer.getheader("allow"), "POST", "allow")
        refused(form, "media", ask(context, form, good, **{"content-type": "text/plain"}))
        refused(form, "media", ask(context, form, good, **{"content-encoding": "gzip"}))
        refused(form, "size", ask(context, form, good | {"user": "x" * 1_100_000}))
        equal(ask(context, form, good, **{"idempotency-key": form}).status, 200, "the status of the first request of a key")
        refused(form, "conflict", ask(context, form, body(form, Script()), **{"idempotency-key": form}))


@checks.check("limits, budgets and pauses that open too late", bound=90)
def closed(context):
    for form in ("chat", "messages"):
        poor = key(context, f"poor-{form}", "--usd-total", "0.000001")
        refused(form, "budget", ask(poor, form, body(form, Script())))
        slow = key(context, f"slow-{form}", "--rpm", "1")
        equal(ask(slow, form, body(form, Script())).status, 200, "the status of the first call of a minute")
        late = ask(slow, form, body(form, Script()), **{"x-agent-queue-max-wait": "1s"})
        refused(form, "rate", late)
        expect(int(late.getheader("retry-after", "0")) <= 60, f"retry-after is {late.getheader('retry-after')}")
        for streams in (False, True):
            still = key(context, f"still-{form}-{streams}".lower())
            equal(ask(still, form, body(form, Script())).status, 200, "the status before the pause")
            context.serve.run("pause", f"api.still-{form}-{streams}".lower())
            refused(form, "paused", ask(still, form, body(form, Script(), streams), **{"x-agent-queue-max-wait": "0s"}))


def failing(name, form, script_of):
    """Scripts and members that lead to a failure of the call itself."""
    if name == "refused":
        return Script(**script_of, fail={"times": -1, "status": 400, "message": "This model does not do that."}), {}
    if name == "upstream":
        return Script(**script_of, fail={"times": -1, "status": 500, "message": "Something is broken here."}), {}
    if name == "time":
        return Script(delay=30), {}
    if name == "reply":
        kind = {"type": "json_schema", "name": "s", "schema": SCHEMA, "strict": True}
        more = {"chat": {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA, "strict": True}}},
                "messages": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "responses": {"text": {"format": kind}}}
        return Script(**script_of), more[form]
    return Script(hold="head"), {}


CALLS = ("refused", "upstream", "time", "reply", "cancelled")


def each(context, forms, action):
    """Runs the action for each failure of a call and each form, at once: most of it is waiting for further attempts."""
    failures = []

    def one(name, form):
        try:
            action(name, form)
        except Exception as fault:
            failures.append(f"{name}, {form}: {type(fault).__name__}: {fault}"[:500])

    threads = [threading.Thread(target=one, args=(name, form), daemon=True) for name in CALLS for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(140)
    expect(not any(thread.is_alive() for thread in threads), "an answer has no end")
    expect(not failures, " | ".join(failures))


def cancelling(context, name, script):
    if name == "cancelled":
        threading.Thread(target=cancel, args=(context, script), daemon=True).start()


@checks.check("calls that fail before the head", bound=150)
def before_the_head(context):
    def action(name, form):
        script, more = failing(name, form, {})
        cancelling(context, name, script)
        refused(form, name, ask(context, form, body(form, script, **more)))

    each(context, ("chat", "messages"), action)


@checks.check("calls that fail in a stream that has begun", bound=150)
def after_the_head(context):
    def action(name, form):
        script, more = failing(name, form, {"delay": 1.5})
        if name == "cancelled":
            timer = threading.Timer(1.3, lambda: cancel(context, script))
            timer.daemon = True
            timer.start()
        answer = ask(context, form, body(form, script, True, **more))
        equal(answer.status, 200, f"the status ({answer.data[:200]})")
        text = answer.data.decode()
        expect("ping" in text or form == "responses", f"nothing kept the client: {text[:300]}")
        events = [event for event in text.split("\n\n") if "data: " in event]
        last = json.loads(re.search(r"^data: (.*)$", events[-1], re.M)[1])
        if name == "reply" and "stream_restarted" in events[-1]:
            # The provider was trusted to keep to the schema, so what broke it has been shown.
            return expect("[DONE]" not in text and "message_stop" not in text and "response.completed" not in text, f"the end is {text[-300:]}")
        if form == "chat":
            expect("[DONE]" not in text, f"the stream pretends to be whole: {text[-300:]}")
            check_error(form, name, last["error"], f"{name}, {form}")
        elif form == "messages":
            expect("event: error\n" in events[-1] + "\n" and "message_stop" not in text, f"the stream's end is {text[-300:]}")
            check_error(form, name, last["error"], f"{name}, {form}")
        else:
            equal((last["type"], last["response"]["status"]), ("response.failed", "failed"), f"the last event of {text[-300:]}")
            expect(last["response"]["error"]["message"], "the error has no message")

    each(context, ("chat", "messages", "responses"), action)


@checks.check("calls that fail after spaces: the answer is cut, and the repetition gets the failure", bound=150)
def after_spaces(context):
    def action(name, form):
        script, more = failing(name, form, {"delay": 1.5})
        if name == "cancelled":
            timer = threading.Timer(1.3, lambda: cancel(context, script))
            timer.daemon = True
            timer.start()
        try:
            answer = ask(context, form, body(form, script, **more), **{"x-stainless-read-timeout": "1.6"})
            raise AssertionError(f"the answer was not cut: {answer.status} {answer.data[:300]}")
        except http.client.IncompleteRead as cut:
            equal(cut.partial.strip(), b"", "what came before the cut")
        calls = context.upstream.count(script.id)
        refused(form, name, ask(context, form, body(form, script, **more), **{"x-stainless-retry-count": "1"}))
        equal(context.upstream.count(script.id), calls, "the calls after the repetition")

    each(context, ("chat", "messages"), action)


@checks.check("a provider that says when it opens: no attempt is waited for beyond max-wait", bound=60)
def opens_late(context):
    # The provider is left alone afterwards.
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "errors-late"), context.arguments.upstream)
    gateway.start()
    try:
        there = context.of(gateway.url, gateway.key)
        for form in ("chat", "messages"):
            for status in (429, 503):
                script = Script(fail={"times": -1, "status": status, "headers": {"retry-after": "50"}})
                began = time.monotonic()
                answer = ask(there, form, body(form, script), **{"x-agent-queue-max-wait": "2s"})
                took = time.monotonic() - began
                refused(form, "rate", answer)
                expect(took < 8, f"after a {status}, {form}: the answer came after {took:.0f} s")
                equal(context.upstream.count(script.id), 1, f"after a {status}, {form}: the calls")
        equal(gateway.stop(), [0], "its exit code")
    finally:
        gateway.kill()


@checks.check("too many that wait, and a gateway that stops", bound=90)
def full_and_stopping(context):
    for form in ("chat", "messages"):
        gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, f"errors-full-{form}"), context.arguments.upstream,
                          "  max_waiting: 1\n")
        gateway.start()
        try:
            there = context.of(gateway.url, gateway.key)
            held = Script(hold="head")
            first = threading.Thread(target=ask, args=(there, form, body(form, held)), daemon=True)
            first.start()
            context.upstream.wait(held.id, held=True)
            surplus = ask(there, form, body(form, Script()))
            refused(form, "waiting", surplus)
            equal(surplus.getheader("retry-after-ms"), "1000", "retry-after-ms")
            gateway.serve.process.send_signal(signal.SIGTERM)
            until(lambda: there.http("GET", "/ready", key=False).status, lambda status: status == 503, 10)
            refused(form, "stopping", ask(there, form, body(form, Script())))
            context.upstream.release(held.id)
            first.join(20)
            equal(gateway.stop(), [0], "its exit code")
        finally:
            gateway.kill()


def main():
    context = Context("errors")
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "errors"), context.arguments.upstream, "  max_body: 1MiB\n"
                      "http: { request_timeout: 5s }\n")
    gateway.start()
    try:
        context.serve = gateway
        context = context.of(gateway.url, gateway.key)
        failed = checks.run(context, at_once=6)
        return failed or int(gateway.stop() != [0])
    finally:
        gateway.kill()


if __name__ == "__main__":
    raise SystemExit(main())
