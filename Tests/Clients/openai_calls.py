"""OpenAI's chat completions, embeddings and models, and their errors."""

import asyncio
import json

import openai

from checks import Script, equal, expect, raises
from openai_client import TARGETS, Weather, ask, both_forms, checks, client, model, weather_tool


@both_forms("chat")
def chat(context, name):
    script = Script()
    answer = ask(context, script, name)
    equal(answer.choices[0].message.content, "Hello")
    equal(answer.choices[0].finish_reason, "stop")
    equal(answer.object, "chat.completion")
    equal((answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens), (5, 2, 7), "usage")
    expect(answer.id and answer.created, "id and created are missing")
    expect(answer._request_id, "_request_id is missing")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@both_forms("chat with strict validation")
def strict(context, name):
    sdk = client(context, _strict_response_validation=True)
    equal(ask(context, Script(), name, sdk).choices[0].message.content, "Hello")
    equal("".join(chunk.choices[0].delta.content or "" for chunk in ask(context, Script(), name, sdk, stream=True)), "Hello")


@checks.check("the answer of the same form comes as the provider wrote it")
def native(context):
    script = Script()
    raw = client(context).chat.completions.with_raw_response.create(
        model=model(context), messages=[{"role": "user", "content": str(script)}])
    answer = json.loads(raw.text if isinstance(raw.text, str) else raw.text())
    equal(answer["id"], "chatcmpl-" + script.id, "id")
    equal(answer["system_fingerprint"], "fp_scripted", "system_fingerprint")
    expect(raw.headers.get("x-request-id") and raw.headers.get("x-request-id") == raw.headers.get("request-id"), "the id headers differ")
    if not context.direct:
        equal(raw.headers.get("x-agent-queue-target"), "up/scripted", "x-agent-queue-target")
        expect(raw.headers.get("x-agent-queue-job", "").isdigit(), "x-agent-queue-job is missing")


@checks.check("the request of the same form goes out as the client wrote it, without the client's key")
def untouched(context):
    script = Script()
    body = ('{"temperature":0.50, "model":"%s","unknown_\\u0066ield":{"b":1E2,"a":[]},"messages":[{"role":"user","content":%s}]}'
            % (model(context), json.dumps(str(script)))).encode()
    answer = context.http("POST", "/v1/chat/completions", body=body)
    equal(answer.status, 200, "status")
    call = context.upstream.calls(script.id)[0]
    context.needs_gateway()
    sent = call["body"]
    expect('"temperature":0.50, ' in sent and '"unknown_\\u0066ield":{"b":1E2,"a":[]}' in sent, f"the body was changed: {sent[:300]}")
    expect(context.key not in json.dumps(call), "the client's key went upstream")


@both_forms("stream")
def stream(context, name):
    chunks = list(ask(context, Script(), name, stream=True))
    equal("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), "Hello")
    equal([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1], "stop", "finish_reason")
    expect(all(chunk.usage is None for chunk in chunks), "usage came unasked")
    expect(all(chunk.choices for chunk in chunks), "a chunk without choices came unasked")
    equal(len({chunk.id for chunk in chunks}), 1, "the number of ids")
    equal(len({chunk.created for chunk in chunks}), 1, "the number of values of created")


@both_forms("stream with include_usage")
def stream_usage(context, name):
    chunks = list(ask(context, Script(), name, stream=True, stream_options={"include_usage": True}))
    equal(chunks[-1].choices, [], "the last chunk's choices")
    equal((chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens, chunks[-1].usage.total_tokens), (5, 2, 7), "usage")
    equal(chunks[-2].choices[0].finish_reason, "stop", "finish_reason")


@both_forms(".stream() with a strict tool")
def stream_tool(context, name):
    script = Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}})
    with client(context).chat.completions.stream(
            model=name, messages=[{"role": "user", "content": str(script)}], tools=[weather_tool()]) as events:
        kinds = [event.type for event in events]
        answer = events.get_final_completion()
    expect("tool_calls.function.arguments.done" in kinds, f"no tool call among {sorted(set(kinds))}")
    call = answer.choices[0].message.tool_calls[0].function
    equal(call.parsed_arguments, Weather(city="Bonn", days=3), "arguments")
    equal(answer.choices[0].finish_reason, "tool_calls", "finish_reason")


@both_forms("a tool, there and back")
def tool(context, name):
    script = Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}}, text=["It ", "rains."])
    sdk = client(context)
    tools = [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": Weather.model_json_schema()}}]
    messages = [{"role": "user", "content": str(script)}]
    first = sdk.chat.completions.create(model=name, messages=messages, tools=tools).choices[0].message
    equal(json.loads(first.tool_calls[0].function.arguments), {"city": "Bonn", "days": 3}, "arguments")
    messages += [first, {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "rain"}]
    second = sdk.chat.completions.create(model=name, messages=messages, tools=tools)
    equal(second.choices[0].message.content, "It rains.")


@both_forms(".parse()")
def parse(context, name):
    script = Script(text=['{"city":"Bonn",', '"days":3}'])
    answer = client(context).chat.completions.parse(
        model=name, messages=[{"role": "user", "content": str(script)}], response_format=Weather)
    equal(answer.choices[0].message.parsed, Weather(city="Bonn", days=3))


@checks.check("the asynchronous client, chat and stream")
def asynchronous(context):
    async def both():
        async with openai.AsyncOpenAI(api_key=context.key, base_url=context.gateway + "/v1") as sdk:
            ask = {"model": model(context)}
            answer = await sdk.chat.completions.create(messages=[{"role": "user", "content": str(Script())}], **ask)
            equal(answer.choices[0].message.content, "Hello")
            pieces = await sdk.chat.completions.create(messages=[{"role": "user", "content": str(Script())}], stream=True, **ask)
            equal("".join([chunk.choices[0].delta.content or "" async for chunk in pieces]), "Hello")

    asyncio.run(both())


@checks.check("n = 3 gives three choices")
def samples(context):
    context.needs_gateway()
    script = Script()
    answer = ask(context, script, n=3)
    equal([choice.index for choice in answer.choices], [0, 1, 2], "the indices")
    chunks = list(ask(context, Script(), n=2, stream=True))
    for index in (0, 1):
        equal("".join(c.choices[0].delta.content or "" for c in chunks if c.choices and c.choices[0].index == index), "Hello")


@checks.check("the first piece comes before the answer's end")
def live(context):
    script = Script(hold=1)
    pieces = iter(ask(context, script, stream=True))
    text = ""
    while text != "Hel":
        text += next(pieces).choices[0].delta.content or ""
    context.upstream.wait(script.id, held=True)
    context.upstream.release(script.id)
    equal(text + "".join(chunk.choices[0].delta.content or "" for chunk in pieces), "Hello")


@checks.check("an error in mid-stream is an APIError, never a short success", bound=60)
def stream_error(context):
    def read():
        return [chunk for chunk in ask(context, Script(error_at=1), stream=True)]

    raises(openai.APIError, read)


@checks.check("embeddings: default, float, list")
def embeddings(context):
    sdk = client(context)
    name = "scripted" if context.direct else "up/scripted"
    equal(sdk.embeddings.create(model=name, input="abc").data[0].embedding, [0.25, -0.5, 3.0])
    equal(sdk.embeddings.create(model=name, input="abcd", encoding_format="float").data[0].embedding, [0.25, -0.5, 4.0])
    answer = sdk.embeddings.create(model=name, input=["a", "bcd"])
    equal([entry.embedding[2] for entry in answer.data], [1.0, 3.0])
    equal([entry.index for entry in answer.data], [0, 1], "index")
    expect(answer.usage.total_tokens > 0, "usage is missing")


@checks.check("models: list, retrieve, unknown")
def models(context):
    sdk = client(context)
    names = [entry.id for entry in sdk.models.list()]
    expect(model(context) in names, f"{model(context)} is not in {names}")
    equal(sdk.models.retrieve("scripted").id, "scripted", "id")
    raises(openai.NotFoundError, lambda: sdk.models.retrieve("nothing-like-it"))


@checks.check("both headers of keys, and their refusals")
def keys(context):
    context.needs_gateway()
    for headers in ({"authorization": f"Bearer {context.key}"}, {"x-api-key": context.key}):
        equal(context.http("GET", "/v1/models", headers=headers).status, 200, f"status by {list(headers)[0]}")
    for headers in ({}, {"authorization": "Bearer aq-1-wrong"}, {"x-api-key": context.key[:-1]}):
        answer = context.http("GET", "/v1/models", headers=headers, key=False)
        equal(answer.status, 401, "status")
        equal(sorted(json.loads(answer.data)["error"]), ["code", "message", "param", "type"], "the keys of the error")
    error = raises(openai.AuthenticationError, lambda: ask(context, Script(), sdk=client(context, api_key="sk-wrong")))
    equal(error.code, "invalid_api_key", "code")


@checks.check("400, 404 and 413 are the SDK's classes")
def refusals(context):
    sdk = client(context)
    error = raises(openai.BadRequestError, lambda: sdk.post("/chat/completions", cast_to=object, body={"model": model(context)}))
    equal(error.param, "messages", "param")
    error = raises(openai.NotFoundError, lambda: ask(context, Script(), "absent"))
    equal(error.code, "model_not_found", "code")
    context.needs_gateway()
    expect(error.request_id, "request_id is missing")
    raises(openai.NotFoundError, lambda: sdk.post("/nothing", cast_to=object, body={}))
    error = raises(openai.APIStatusError, lambda: ask(context, "x" * (33 << 20)))
    equal(error.status_code, 413, "status")


@checks.check("what the target cannot be asked for is a 400 that names it")
def unsupported(context):
    context.needs_gateway()
    error = raises(openai.BadRequestError, lambda: ask(context, Script(), TARGETS["other form"], logprobs=True))
    equal((error.code, error.param), ("unsupported_parameter", "logprobs"), "code and param")
    raw = client(context).chat.completions.with_raw_response.create(
        model=TARGETS["other form"], messages=[{"role": "user", "content": str(Script())}], logprobs=True,
        extra_headers={"x-agent-queue-unsupported": "drop"})
    equal(raw.headers.get("x-agent-queue-dropped"), "logprobs", "x-agent-queue-dropped")


@checks.check("the provider's own 400 comes as it was")
def provider_error(context):
    script = Script(fail={"times": -1, "status": 400, "message": "The prompt is too long.", "code": "context_length_exceeded"})
    error = raises(openai.BadRequestError, lambda: ask(context, script))
    equal(error.code, "context_length_exceeded", "code")
    expect("The prompt is too long." in error.message, error.message)
    equal(context.upstream.count(script.id), 1, "the number of calls")


@checks.check("429 with retry-after-ms, then an answer")
def limited(context):
    script = Script(fail={"times": 1, "status": 429, "headers": {"retry-after-ms": "100"}, "code": "rate_limit_exceeded"})
    equal(ask(context, script).choices[0].message.content, "Hello")
    equal(context.upstream.count(script.id), 2, "the number of calls")


@checks.check("a provider that keeps failing: the queue's attempts, and no more by the SDK", bound=90)
def failing(context):
    context.needs_gateway()
    script = Script(fail={"times": -1, "status": 500, "message": "Broken for good."})
    error = raises(openai.APIStatusError, lambda: ask(context, script, sdk=client(context, max_retries=2)))
    expect(error.status_code >= 500, f"status {error.status_code}")
    equal(error.response.headers.get("x-should-retry"), "false", "x-should-retry")
    equal(context.upstream.count(script.id), 5, "the number of calls")


@checks.check("a broken upstream connection is tried again by the queue", bound=60)
def upstream_drop(context):
    script = Script(drop={"times": 1})
    equal(ask(context, script).choices[0].message.content, "Hello")
    equal(context.upstream.count(script.id), 2, "the number of calls")
