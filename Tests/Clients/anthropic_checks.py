"""What an unmodified Anthropic SDK does through the gateway."""

import asyncio
import inspect
import json

import anthropic
from pydantic import BaseModel

from checks import Checks, Cutter, Script, Skipped, equal, expect, raises, until, with_thread

checks = Checks()
TARGETS = {"same form": "up-anthropic/claude-scripted", "other form": "up/scripted"}
TOOLS = [{"name": "weather", "description": "The weather.", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"]}}]


def client(context, **options):
    options.setdefault("api_key", context.key)
    options.setdefault("base_url", context.gateway)
    return anthropic.Anthropic(**options)


def model(context, form="same form"):
    return "claude-scripted" if context.direct else TARGETS[form]


def both_forms(name, **options):
    """A check over a provider of the same form and, translated, over one of the other."""

    def add(function):
        for form in TARGETS:
            def body(context, form=form):
                if form == "other form":
                    context.needs_gateway()
                return function(context, model(context, form))

            checks.check(f"{name}, {form}", **options)(body)
        return function

    return add


def request(context, script, name=None, **options):
    return {"model": name or model(context), "max_tokens": 100, "messages": [{"role": "user", "content": str(script)}], **options}


def ask(context, script, name=None, sdk=None, **options):
    return (sdk or client(context)).messages.create(**request(context, script, name, **options))


def text_of(events):
    return "".join(event.delta.text for event in events if event.type == "content_block_delta" and event.delta.type == "text_delta")


def headers_of(context, script, sdk=None, **options):
    raw = (sdk or client(context)).messages.with_raw_response.create(**request(context, script, **options))
    return raw.parse(), raw.headers


class Weather(BaseModel):
    city: str
    days: int


@both_forms("create")
def create(context, name):
    script = Script()
    answer = ask(context, script, name)
    equal([block.type for block in answer.content], ["text"], "the blocks")
    equal(answer.content[0].text, "Hello")
    equal((answer.type, answer.role, answer.stop_reason), ("message", "assistant", "end_turn"), "type, role and stop_reason")
    equal((answer.usage.input_tokens, answer.usage.output_tokens), (5, 2), "usage")
    expect(answer.id and answer._request_id, "id or _request_id is missing")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@both_forms("create with strict validation")
def strict(context, name):
    equal(ask(context, Script(), name, client(context, _strict_response_validation=True)).content[0].text, "Hello")


@checks.check("the answer of the same form comes as the provider wrote it, thinking and signature included")
def native(context):
    script = Script(thinking="Hm.")
    answer, headers = headers_of(context, script)
    equal(answer.id, "msg_" + script.id, "id")
    equal([block.type for block in answer.content], ["thinking", "text"], "the blocks")
    equal(answer.content[0].signature, "c2lnbmVk+/==", "the signature")
    expect(headers.get("request-id") and headers.get("request-id") == headers.get("x-request-id"), "the id headers differ")
    if not context.direct:
        equal(headers.get("x-agent-queue-target"), "up-anthropic/claude-scripted", "x-agent-queue-target")
    with client(context).messages.stream(**request(context, Script(thinking="Hm."))) as stream:
        answer = stream.get_final_message()
    equal([(block.type, getattr(block, "signature", None)) for block in answer.content],
          [("thinking", "c2lnbmVk+/=="), ("text", None)], "the blocks streamed")


@checks.check("the request of the same form goes out as the client wrote it, without the client's key")
def untouched(context):
    context.needs_gateway()
    script = Script()
    fields = ('"thinking": {"type":"adaptive","display":"omitted"},"context_management":{"edits":[]},"output_config":{"effort":"low"},'
              '"system":[{"type":"text","text":"One \\u00e9.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Two."}]')
    body = ('{"model":"%s",%s,"max_tokens":1E2,"messages":[{"role":"user","content":%s},{"role":"system","content":"Be terse."}]}'
            % (model(context), fields, json.dumps(str(script)))).encode()
    answer = context.http("POST", "/v1/messages?beta=true", body=body, headers={
        "anthropic-version": "2023-06-01", "anthropic-beta": "one-2026-01-01,two-2026-01-01"})
    equal(answer.status, 200, f"status ({answer.data[:300]})")
    call = context.upstream.calls(script.id)[0]
    expect(fields in call["body"] and '"max_tokens":1E2' in call["body"], f"the body was changed: {call['body'][:500]}")
    equal(call["headers"].get("anthropic-version"), "2023-06-01", "anthropic-version")
    equal(call["headers"].get("anthropic-beta"), "one-2026-01-01,two-2026-01-01", "anthropic-beta")
    expect(context.key not in json.dumps(call), "the client's key went upstream")


@both_forms(".stream(), text")
def stream_text(context, name):
    with client(context).messages.stream(**request(context, Script(), name)) as stream:
        equal("".join(stream.text_stream), "Hello")
        answer = stream.get_final_message()
    equal((answer.stop_reason, answer.usage.output_tokens), ("end_turn", 2), "stop_reason and output_tokens")


@both_forms(".stream(), tool")
def stream_tool(context, name):
    script = Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}})
    with client(context).messages.stream(**request(context, script, name, tools=TOOLS)) as stream:
        answer = stream.get_final_message()
    call = answer.content[-1]
    equal((call.type, call.name, call.input), ("tool_use", "weather", {"city": "Bonn", "days": 3}), "the call")
    equal(answer.stop_reason, "tool_use", "stop_reason")


@both_forms("raw stream: the events in their order")
def raw_stream(context, name):
    events = list(ask(context, Script(), name, stream=True))
    kinds = [event.type for event in events if event.type != "ping"]
    equal([kind for kind in kinds if kind != "content_block_delta"],
          ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"], "the events")
    equal(text_of(events), "Hello")


@both_forms("a tool, there and back")
def tool(context, name):
    script = Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}}, text=["It ", "rains."])
    sdk = client(context)
    asked = request(context, script, name, tools=TOOLS)
    first = sdk.messages.create(**asked)
    call = first.content[-1]
    equal((call.type, call.input), ("tool_use", {"city": "Bonn", "days": 3}), "the call")
    asked["messages"] += [{"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
                          {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]}]
    equal(sdk.messages.create(**asked).content[0].text, "It rains.")


@both_forms(".parse()")
def parse(context, name):
    sdk = client(context)
    if "output_format" not in inspect.signature(getattr(sdk.messages, "parse", create)).parameters:
        raise Skipped("this version has none")
    answer = sdk.messages.parse(output_format=Weather, **request(context, Script(text=['{"city":"Bonn",', '"days":3}']), name))
    equal(answer.parsed_output, Weather(city="Bonn", days=3))


@checks.check("the asynchronous client, create and stream")
def asynchronous(context):
    async def both():
        async with anthropic.AsyncAnthropic(api_key=context.key, base_url=context.gateway) as sdk:
            equal((await sdk.messages.create(**request(context, Script()))).content[0].text, "Hello")
            async with sdk.messages.stream(**request(context, Script())) as stream:
                equal("".join([text async for text in stream.text_stream]), "Hello")

    asyncio.run(both())


@checks.check("the first piece comes before the answer's end")
def live(context):
    script = Script(hold=1)
    events = iter(ask(context, script, stream=True))
    seen = []
    while text_of(seen) != "Hel":
        seen.append(next(events))
    context.upstream.wait(script.id, held=True)
    context.upstream.release(script.id)
    equal(text_of(seen + list(events)), "Hello")


@checks.check("an error in mid-stream is an APIError, never a short success", bound=60)
def stream_error(context):
    raises(anthropic.APIError, lambda: list(ask(context, Script(error_at=1), stream=True)))


@checks.check("count_tokens: the provider's count, or an estimate")
def count_tokens(context):
    sdk = client(context)
    asked = {"model": model(context), "messages": [{"role": "user", "content": "Count this."}]}
    for name in [model(context)] if context.direct else TARGETS.values():
        raw = sdk.messages.with_raw_response.count_tokens(**dict(asked, model=name))
        tokens = raw.parse().input_tokens
        expect(tokens == 42 or tokens > 0 and raw.headers.get("x-agent-queue-estimate") == "true", f"{tokens} input_tokens")


@checks.check("models: list, pages, retrieve, unknown")
def models(context):
    sdk = client(context)
    names = [entry.id for entry in sdk.models.list(limit=1000)]
    expect(model(context) in names, f"{model(context)} is not in {names}")
    if not context.direct:
        equal([entry.id for entry in sdk.models.list(limit=1)], names, "the names by pages of one")
    equal(sdk.models.retrieve("claude-scripted").id, "claude-scripted", "id")
    raises(anthropic.NotFoundError, lambda: sdk.models.retrieve("nothing-like-it"))


@checks.check("both headers of keys, and their refusals")
def keys(context):
    context.needs_gateway()
    version = {"anthropic-version": "2023-06-01"}
    for headers in ({"authorization": f"Bearer {context.key}"}, {"x-api-key": context.key}):
        equal(context.http("GET", "/v1/models", headers={**headers, **version}).status, 200, f"status by {list(headers)[0]}")
    answer = context.http("GET", "/v1/models", headers=version, key=False)
    equal(answer.status, 401, "status")
    body = json.loads(answer.data)
    equal((body["type"], body["error"]["type"]), ("error", "authentication_error"), "the error's types")
    equal(body["request_id"], answer.getheader("request-id"), "request_id")
    raises(anthropic.AuthenticationError, lambda: ask(context, Script(), sdk=client(context, api_key="sk-wrong")))


@checks.check("400, 404 and 413 are the SDK's classes")
def refusals(context):
    sdk = client(context)
    raises(anthropic.BadRequestError, lambda: sdk.post("/v1/messages", cast_to=object, body={"model": model(context), "max_tokens": 1}))
    raises(anthropic.NotFoundError, lambda: ask(context, Script(), "absent"))
    context.needs_gateway()
    error = raises(anthropic.APIStatusError, lambda: ask(context, "x" * (33 << 20)))
    equal((error.status_code, error.body["error"]["type"]), (413, "request_too_large"), "status and type")


@checks.check("what the target cannot be asked for is a 400 that names it")
def unsupported(context):
    context.needs_gateway()
    image = [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}]}]
    body = {"model": TARGETS["other form"], "max_tokens": 10, "messages": image}
    error = raises(anthropic.BadRequestError, lambda: client(context).post("/v1/messages", cast_to=object, body=body))
    equal(error.body["error"]["type"], "invalid_request_error", "type")


@checks.check("the provider's own 400 comes as it was")
def provider_error(context):
    script = Script(fail={"times": -1, "status": 400, "message": "prompt is too long: 9 tokens > 8 maximum"})
    error = raises(anthropic.BadRequestError, lambda: ask(context, script))
    expect("prompt is too long: 9 tokens > 8 maximum" == error.body["error"]["message"], error.message)
    equal(context.upstream.count(script.id), 1, "the number of calls")


@checks.check("529, and 429 with retry-after, then an answer")
def overloaded(context):
    for fail in ({"status": 529}, {"status": 429, "headers": {"retry-after": "1"}}):
        script = Script(fail={"times": 1, **fail})
        equal(ask(context, script).content[0].text, "Hello")
        equal(context.upstream.count(script.id), 2, f"the number of calls after {fail['status']}")


@checks.check("a lost connection: the SDK's retry attaches, one call is paid")
def attach(context):
    context.needs_gateway()
    script = Script(hold="head")
    cutter = Cutter(context.gateway)

    def cut():
        context.upstream.wait(script.id)
        cutter.cuts.set()
        cutter.wait(2)
        context.upstream.release(script.id)

    with_thread(cut)
    answer, headers = headers_of(context, script, client(context, base_url=cutter.url))
    equal(answer.content[0].text, "Hello")
    equal(headers.get("x-agent-queue-attached"), "true", "x-agent-queue-attached")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")
    cutter.close()


@checks.check("a cut stream: its repetition, streamed or not, attaches")
def cut_stream(context):
    context.needs_gateway()
    for streams in (False, True):
        script = Script(hold=1)
        cutter = Cutter(context.gateway)
        events = iter(ask(context, script, sdk=client(context, base_url=cutter.url), stream=True))
        seen = []
        while text_of(seen) != "Hel":
            seen.append(next(events))
        cutter.cuts.set()
        raises(Exception, lambda: list(events))
        with_thread(lambda: (context.upstream.wait(script.id, held=True), context.upstream.release(script.id)))
        answer = ask(context, script, stream=streams)
        equal(text_of(answer) if streams else answer.content[0].text, "Hello")
        equal(context.upstream.count(script.id), 1, "the number of paid calls")
        cutter.close()


@checks.check("Idempotency-Key: the same answer for one call; 422 for another body")
def idempotency(context):
    context.needs_gateway()
    script = Script()
    headers = {"Idempotency-Key": "key-" + script.id}
    first = ask(context, script, extra_headers=headers)
    equal(ask(context, script, extra_headers=headers).id, first.id, "id")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")
    error = raises(anthropic.UnprocessableEntityError, lambda: ask(context, Script(), extra_headers=headers))
    equal(error.response.headers.get("x-should-retry"), "false", "x-should-retry")


@checks.check("a slow answer is padded: no timeout, one call")
def padded(context):
    context.needs_gateway()
    script = Script(delay=2.4)
    equal(ask(context, script, sdk=client(context, timeout=1.0, max_retries=0)).content[0].text, "Hello")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@checks.check("files by this API: upload, list over two pages, content, delete")
def files(context):
    context.needs_gateway()
    context.needs_route("GET", "/v1/files", {"anthropic-version": "2023-06-01"})
    sdk = client(context)
    store = sdk.files if hasattr(sdk, "files") else sdk.beta.files
    made = [store.upload(file=(f"{index}.txt", b"%d" % index, "text/plain")).id for index in range(3)]
    expect(set(made) <= {entry.id for entry in store.list(limit=2)}, "a file is not in the list")
    equal(store.download(made[1]).read(), b"1", "content")
    for identifier in made:
        store.delete(identifier)


def wait(sdk, batch):
    return until(lambda: sdk.messages.batches.retrieve(batch.id), lambda batch: batch.processing_status == "ended")


@checks.check("batches: create, retrieve, results, list over pages, delete", bound=60)
def batches(context):
    context.needs_gateway()
    sdk = client(context)
    scripts = {"good": Script(), "other-form": Script(), "bad": Script(fail={"times": -1, "status": 400, "message": "No."}), "nobody": Script()}
    names = {"other-form": "up/scripted", "nobody": "nobody/none"}
    batch = sdk.messages.batches.create(requests=[
        {"custom_id": name, "params": request(context, script, names.get(name))} for name, script in scripts.items()])
    equal((batch.processing_status, batch.request_counts.processing, batch.results_url), ("in_progress", 4, None), "a new batch")
    batch = wait(sdk, batch)
    counts = batch.request_counts
    equal((counts.processing, counts.succeeded, counts.errored, counts.canceled, counts.expired), (0, 2, 2, 0, 0), "the counts")
    results = {entry.custom_id: entry.result for entry in sdk.messages.batches.results(batch.id)}
    equal({name: result.type for name, result in results.items()},
          {"good": "succeeded", "other-form": "succeeded", "bad": "errored", "nobody": "errored"}, "the results")
    equal((results["good"].message.id, results["good"].message.content[0].text), ("msg_" + scripts["good"].id, "Hello"), "the message")
    equal(results["other-form"].message.content[0].text, "Hello")
    equal([results[name].error.error.type for name in ("bad", "nobody")], ["invalid_request_error", "not_found_error"], "the errors")
    equal([context.upstream.count(scripts[name].id) for name in ("good", "other-form", "nobody")], [1, 1, 0], "the paid calls")
    made = [sdk.messages.batches.create(requests=[{"custom_id": "one", "params": request(context, Script())}]).id for _ in range(3)]
    listed = []
    for entry in sdk.messages.batches.list(limit=2):
        listed.append(entry.id)
        if batch.id in listed:
            break
    expect(set(made) <= set(listed) and len(set(listed)) == len(listed), "a batch is not in the list, or twice")
    equal(sdk.messages.batches.delete(batch.id).type, "message_batch_deleted", "the deletion")
    raises(anthropic.NotFoundError, lambda: sdk.messages.batches.retrieve(batch.id))


@checks.check("batches: cancel ends what waits and keeps what has run", bound=60)
def cancel(context):
    context.needs_gateway()
    sdk = client(context)
    held = Script(hold="head")
    batch = sdk.messages.batches.create(requests=[{"custom_id": "held", "params": request(context, held)}])
    context.upstream.wait(held.id, held=True)
    raises(anthropic.BadRequestError, lambda: sdk.messages.batches.delete(batch.id))
    equal(sdk.messages.batches.cancel(batch.id).processing_status, "canceling", "processing_status")
    context.upstream.release(held.id)
    batch = wait(sdk, batch)
    expect(batch.cancel_initiated_at and batch.ended_at, "cancel_initiated_at or ended_at is missing")
    equal([entry.result.type for entry in sdk.messages.batches.results(batch.id)], ["succeeded"], "the results")


@checks.check("batches: what is no list of requests is refused at once")
def wrong_batches(context):
    context.needs_gateway()
    sdk = client(context)
    script = Script()
    for names in (["one", "one"], ["no blank"], []):
        raises(anthropic.BadRequestError, lambda: sdk.messages.batches.create(
            requests=[{"custom_id": name, "params": request(context, script)} for name in names]))
    equal(context.upstream.count(script.id), 0, "the paid calls")
    raises(anthropic.NotFoundError, lambda: sdk.messages.batches.retrieve("msgbatch_none"))


if __name__ == "__main__":
    checks.main(f"anthropic {anthropic.__version__}")
