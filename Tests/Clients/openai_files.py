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


def chat_line(name, script, model="up/scripted", **more):
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": model, "messages": [{"role": "user", "content": str(script)}], **more}}


def create(sdk, lines, endpoint="/v1/chat/completions", **options):
    """A batch of the lines, which are uploaded first."""
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    source = sdk.files.create(file=("batch.jsonl", content), purpose="batch")
    return sdk.batches.create(input_file_id=source.id, endpoint=endpoint, completion_window="24h", **options)


def wait(sdk, batch):
    return until(lambda: sdk.batches.retrieve(batch.id), lambda batch: batch.status in ("completed", "failed", "expired", "cancelled"))


def results(sdk, identifier):
    return [json.loads(line) for line in sdk.files.content(identifier).text.splitlines()]


@checks.check("batches: create, retrieve, output in input order, the file of errors, list over pages", bound=60)
def batches(context):
    context.needs_gateway()
    sdk = client(context)
    scripts = [Script() for _ in range(5)]
    refused = Script(fail={"times": -1, "status": 400, "message": "No."})
    lines = [chat_line(f"line-{index}", script, ("up/scripted", "claude-scripted")[index % 2]) for index, script in enumerate(scripts)]
    batch = create(sdk, lines[:2] + [chat_line("refused", refused)] + lines[2:], metadata={"of": "checks"})
    expect(batch.status in ("validating", "in_progress"), f"the status of a new batch is {batch.status}")
    equal((batch.object, batch.output_file_id, batch.errors, batch.metadata), ("batch", None, None, {"of": "checks"}), "a new batch")
    batch = wait(sdk, batch)
    equal(batch.status, "completed", "status")
    equal((batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed), (6, 5, 1), "the counts")
    output = results(sdk, batch.output_file_id)
    equal([line["custom_id"] for line in output], [f"line-{index}" for index in range(5)], "the order of the output")
    equal({line["response"]["body"]["choices"][0]["message"]["content"] for line in output}, {"Hello"})
    equal({(line["response"]["status_code"], line["error"]) for line in output}, {(200, None)})
    equal([context.upstream.count(script.id) for script in scripts], [1] * 5, "the paid calls")
    errors = results(sdk, batch.error_file_id)
    equal([(line["custom_id"], line["response"]["status_code"]) for line in errors], [("refused", 400)], "the errors")
    equal(sdk.files.retrieve(batch.output_file_id).purpose, "batch_output", "the purpose of the output")
    made = [create(sdk, lines[:1]).id for _ in range(3)]
    listed = []
    for entry in sdk.batches.list(limit=2):
        listed.append(entry.id)
        if batch.id in listed:
            break
    expect(set(made) <= set(listed) and len(set(listed)) == len(listed), "a batch is not in the list, or twice")


@checks.check("batches: responses and embeddings", bound=60)
def other_endpoints(context):
    context.needs_gateway()
    sdk = client(context)
    responses = create(sdk, [{"custom_id": "one", "method": "POST", "url": "/v1/responses", "body": {
        "model": "up/scripted", "input": str(Script())}}], "/v1/responses")
    embeddings = create(sdk, [{"custom_id": f"{index}", "method": "POST", "url": "/v1/embeddings", "body": {
        "model": "up/scripted", "input": ["a" * index, "b"]}} for index in range(1, 4)], "/v1/embeddings")
    responses, embeddings = wait(sdk, responses), wait(sdk, embeddings)
    equal((responses.status, embeddings.status), ("completed", "completed"), "the statuses")
    body = results(sdk, responses.output_file_id)[0]["response"]["body"]
    equal((body["object"], body["output"][-1]["content"][0]["text"]), ("response", "Hello"))
    vectors = [[entry["embedding"] for entry in line["response"]["body"]["data"]] for line in results(sdk, embeddings.output_file_id)]
    equal(vectors, [[[0.25, -0.5, float(index)], [0.25, -0.5, 1.0]] for index in range(1, 4)], "the vectors")


@checks.check("batches: wrong lines fail the batch, and nothing is asked", bound=60)
def wrong_lines(context):
    context.needs_gateway()
    sdk = client(context)
    script = Script()
    batch = wait(sdk, create(sdk, [chat_line("one", script), chat_line("one", script), chat_line("two", script, "nobody/none")]))
    equal(batch.status, "failed", "status")
    equal([(error.code, error.line) for error in batch.errors.data], [("duplicate_custom_id", 2), ("model_not_found", 3)], "the errors")
    equal(context.upstream.count(script.id), 0, "the paid calls")
    raises(openai.NotFoundError, lambda: sdk.batches.retrieve("batch_none"))
    raises(openai.NotFoundError, lambda: sdk.batches.create(
        input_file_id="file-aq999999", endpoint="/v1/chat/completions", completion_window="24h"))
    raises(openai.BadRequestError, lambda: sdk.batches.create(
        input_file_id="file-aq1", endpoint="/v1/moderations", completion_window="24h"))


@checks.check("batches: cancel ends what waits and keeps what has run", bound=60)
def cancel(context):
    context.needs_gateway()
    sdk = client(context)
    held = Script(hold="head")
    batch = create(sdk, [chat_line("held", held)])
    context.upstream.wait(held.id, held=True)
    cancelling = sdk.batches.cancel(batch.id)
    equal(cancelling.status, "cancelling", "status")
    equal(sdk.batches.cancel(batch.id).cancelling_at, cancelling.cancelling_at, "cancelling_at of the second cancel")
    context.upstream.release(held.id)
    batch = wait(sdk, batch)
    equal((batch.status, batch.request_counts.completed), ("cancelled", 1), "status and completed")
    equal([line["custom_id"] for line in results(sdk, batch.output_file_id)], ["held"], "the output")


@checks.check("batches: a retry of create finds its batch, and nothing is paid twice", bound=60)
def repeated_creation(context):
    context.needs_gateway()
    sdk = client(context)
    script = Script()
    source = sdk.files.create(file=("batch.jsonl", (json.dumps(chat_line("one", script)) + "\n").encode()), purpose="batch")
    asked = {"input_file_id": source.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = sdk.batches.create(**asked)
    # What an SDK sends by itself when it has lost the first answer.
    equal(sdk.batches.create(**asked, extra_headers={"x-stainless-retry-count": "1"}).id, batch.id, "the id of the retry")
    equal(wait(sdk, batch).status, "completed", "status")
    equal(context.upstream.count(script.id), 1, "the paid calls")
