"""OpenAI's files and batches."""

import json

import openai

from checks import Script, equal, expect, raises, until
from openai_client import checks, client


@checks.check("files: create, list over two pages, content, delete")
def files(context):
    context.needs_gateway()
    context.needs_route("GET", "/v1/files")
    sdk = client(context)
    made = [sdk.files.create(file=(f"{index}.jsonl", b'{"a":%d}\n' % index), purpose="user_data").id for index in range(3)]
    listed = [entry.id for entry in sdk.files.list(limit=2)]
    expect(set(made) <= set(listed), "a file is not in the list")
    equal(sdk.files.content(made[1]).read(), b'{"a":1}\n', "content")
    sdk.files.wait_for_processing(made[0])
    for identifier in made:
        equal(sdk.files.delete(identifier).deleted, True, "deleted")
    raises(openai.NotFoundError, lambda: sdk.files.retrieve(made[0]))


@checks.check("batches: create, retrieve, output in input order, list, cancel", bound=60)
def batches(context):
    context.needs_gateway()
    context.needs_route("GET", "/v1/batches")
    sdk = client(context)
    scripts = [Script() for _ in range(5)]
    lines = "".join(json.dumps({"custom_id": f"line-{index}", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "up/scripted", "messages": [{"role": "user", "content": str(script)}]}}) + "\n" for index, script in enumerate(scripts))
    source = sdk.files.create(file=("batch.jsonl", lines.encode()), purpose="batch")
    batch = sdk.batches.create(input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = until(lambda: sdk.batches.retrieve(batch.id), lambda batch: batch.status in ("completed", "failed", "expired"))
    equal(batch.status, "completed", "status")
    output = [json.loads(line) for line in sdk.files.content(batch.output_file_id).text.splitlines()]
    equal([line["custom_id"] for line in output], [f"line-{index}" for index in range(5)], "the order of the output")
    equal({line["response"]["body"]["choices"][0]["message"]["content"] for line in output}, {"Hello"})
    equal([context.upstream.count(script.id) for script in scripts], [1] * 5, "the paid calls")
    expect(batch.id in [entry.id for entry in sdk.batches.list(limit=1)], "the batch is not in the list")
    held = Script(hold="head")
    line = json.dumps({"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "up/scripted", "messages": [{"role": "user", "content": str(held)}]}})
    source = sdk.files.create(file=("batch.jsonl", line.encode()), purpose="batch")
    batch = sdk.batches.create(input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h")
    expect(sdk.batches.cancel(batch.id).status in ("cancelling", "cancelled"), "the batch is not being cancelled")
    context.upstream.release(held.id)
