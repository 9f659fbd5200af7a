"""OpenAI's Responses API."""

import json

import openai

from checks import Script, equal, expect, raises, until
from openai_client import Weather, checks, client


RESPONSES_TARGETS = {"by responses": "up-responses/scripted", "by chat": "up/scripted", "by messages": "up-anthropic/claude-scripted"}


def responses_check(name):
    """A check of the Responses API over a provider of each form."""

    def add(function):
        for form, target in RESPONSES_TARGETS.items():
            def body(context, form=form, target=target):
                if form == "by responses" and context.direct:
                    target = "scripted"
                else:
                    context.needs_gateway()
                    context.needs_route("POST", "/v1/responses")
                return function(context, client(context).responses, target)

            checks.check(f"responses, {name}, {form}")(body)
        return function

    return add


@responses_check("create")
def responses_create(context, sdk, name):
    script = Script()
    answer = sdk.create(model=name, input=str(script), instructions="Be terse.")
    equal((answer.output_text, answer.status, answer.object), ("Hello", "completed", "response"))
    equal((answer.usage.input_tokens, answer.usage.output_tokens), (5, 2), "usage")
    expect(answer.id.startswith("resp_"), f"id is {answer.id}")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@responses_check("stream")
def responses_stream(context, sdk, name):
    events = list(sdk.create(model=name, input=str(Script()), stream=True))
    equal([event.type for event in events if event.type != "response.output_text.delta"], [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"], "the events")
    equal("".join(event.delta for event in events if event.type == "response.output_text.delta"), "Hello")
    numbers = [event.sequence_number for event in events]
    equal(numbers, sorted(set(numbers)), "the sequence numbers")


@responses_check(".stream() and .parse()")
def responses_helpers(context, sdk, name):
    with sdk.stream(model=name, input=str(Script())) as running:
        running.until_done()
        equal(running.get_final_response().output_text, "Hello")
    answer = sdk.parse(model=name, input=str(Script(text=['{"city":"Bonn",', '"days":3}'])), text_format=Weather)
    equal(answer.output_parsed, Weather(city="Bonn", days=3))


@responses_check("a tool, there and back")
def responses_tool(context, sdk, name):
    script = Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}}, text=["It ", "rains."])
    tools = [{"type": "function", "name": "weather", "description": "The weather.", "parameters": Weather.model_json_schema(), "strict": False}]
    items = [{"role": "user", "content": str(script)}]
    first = sdk.create(model=name, input=items, tools=tools)
    call = [item for item in first.output if item.type == "function_call"][0]
    equal(json.loads(call.arguments), {"city": "Bonn", "days": 3}, "arguments")
    items += [call, {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}]
    equal(sdk.create(model=name, input=items, tools=tools).output_text, "It rains.")


@checks.check("responses: previous_response_id, background, retrieve, cancel, delete")
def responses_stored(context):
    context.needs_gateway()
    context.needs_route("POST", "/v1/responses")
    sdk = client(context).responses
    first = sdk.create(model="up/scripted", input=str(Script()))
    past, script = first.id, Script()
    equal(sdk.create(model="up/scripted", input=str(script), previous_response_id=past).output_text, "Hello")
    sent = json.loads(context.upstream.calls(script.id)[0]["body"])["messages"]
    equal([message["role"] for message in sent], ["user", "assistant", "user"], "the turns sent")
    equal(sdk.retrieve(past).output_text, "Hello")
    held = Script(hold="head")
    running = sdk.create(model="up/scripted", input=str(held), background=True)
    expect(running.status in ("queued", "in_progress"), f"status is {running.status}")
    context.upstream.wait(held.id)
    context.upstream.release(held.id)
    equal(until(lambda: sdk.retrieve(running.id), lambda answer: answer.status == "completed").output_text, "Hello")
    held = Script(hold="head")
    running = sdk.create(model="up/scripted", input=str(held), background=True)
    equal(until(lambda: sdk.cancel(running.id), lambda answer: answer.status == "cancelled").status, "cancelled", "status")
    context.upstream.release(held.id)
    sdk.delete(past)
    raises(openai.NotFoundError, lambda: sdk.retrieve(past))
    raises(openai.BadRequestError, lambda: sdk.create(model="up/scripted", input="x", previous_response_id=past))
