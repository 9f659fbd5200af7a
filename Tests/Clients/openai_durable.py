"""What the gateway promises an OpenAI SDK beyond the API: one paid call whatever breaks, and no timeouts."""

import openai

from checks import Cutter, Script, equal, expect, raises, with_thread
from openai_client import ask, checks, client, model


@checks.check("a lost connection: the SDK's retry attaches, one call is paid")
def attach(context):
    context.needs_gateway()
    script = Script(hold="head")
    cutter = Cutter(context.gateway)
    sdk = client(context, base_url=cutter.url + "/v1")

    def cut():
        context.upstream.wait(script.id)
        cutter.cuts.set()
        cutter.wait(2)
        context.upstream.release(script.id)

    with_thread(cut)
    raw = sdk.chat.completions.with_raw_response.create(model=model(context), messages=[{"role": "user", "content": str(script)}])
    equal(raw.parse().choices[0].message.content, "Hello")
    equal(raw.headers.get("x-agent-queue-attached"), "true", "x-agent-queue-attached")
    expect(any("x-stainless-retry-count: 1" in head for head in cutter.heads), "the SDK did not try again")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")
    cutter.close()


@checks.check("a cut stream: its repetition, streamed or not, attaches")
def cut_stream(context):
    context.needs_gateway()
    for streams in (False, True):
        script = Script(hold=1)
        cutter = Cutter(context.gateway)
        pieces = iter(ask(context, script, sdk=client(context, base_url=cutter.url + "/v1"), stream=True))
        text = ""
        while text != "Hel":
            text += next(pieces).choices[0].delta.content or ""
        cutter.cuts.set()
        raises(Exception, lambda: list(pieces))
        with_thread(lambda: (context.upstream.wait(script.id, held=True), context.upstream.release(script.id)))
        answer = ask(context, script, stream=streams)
        text = "".join(c.choices[0].delta.content or "" for c in answer) if streams else answer.choices[0].message.content
        equal(text, "Hello")
        equal(context.upstream.count(script.id), 1, "the number of paid calls")
        cutter.close()


@checks.check("Idempotency-Key: the same answer for one call; 422 for another body")
def idempotency(context):
    context.needs_gateway()
    script = Script()
    headers = {"Idempotency-Key": "key-" + script.id}
    first = ask(context, script, extra_headers=headers)
    second = ask(context, script, extra_headers=headers)
    equal(second.id, first.id, "id")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")
    error = raises(openai.UnprocessableEntityError, lambda: ask(context, Script(), extra_headers=headers))
    equal(error.code, "idempotency_conflict", "code")
    equal(error.response.headers.get("x-should-retry"), "false", "x-should-retry")


@checks.check("two like requests are two samples: the cache is off unless asked for")
def uncached(context):
    context.needs_gateway()
    script = Script()
    ask(context, script)
    ask(context, script)
    equal(context.upstream.count(script.id), 2, "the number of paid calls")


@checks.check("a slow answer is padded: no timeout, one call")
def padded(context):
    context.needs_gateway()
    script = Script(delay=2.4)
    answer = ask(context, script, sdk=client(context, timeout=1.0, max_retries=0))
    equal(answer.choices[0].message.content, "Hello")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@checks.check("a failure after padding: the SDK's retry gets the stored error", bound=60)
def padded_failure(context):
    context.needs_gateway()
    script = Script(delay=1.2, fail={"times": -1, "status": 400, "message": "Too long.", "code": "context_length_exceeded"})
    error = raises(openai.BadRequestError, lambda: ask(context, script, sdk=client(context, timeout=1.0)))
    equal(error.code, "context_length_exceeded", "code")
    equal(context.upstream.count(script.id), 1, "the number of calls")
