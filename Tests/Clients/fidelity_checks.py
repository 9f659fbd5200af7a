"""What goes out is what the client sent, and what comes back is what the provider said: byte for byte in the same form, and the same
values however the answer reaches the client: whole, streamed, attached to, from the cache, in another form."""

import json
import re

from checks import Checks, Script, equal, expect

checks = Checks()
MESSAGES = {"anthropic-version": "2023-06-01", "anthropic-beta": "one-2026-01-01,two-2026-02-02"}
TARGETS = {"chat": "up/scripted", "messages": "up-anthropic/claude-scripted", "responses": "up-responses/scripted"}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


def post(context, form, body, **headers):
    answer = context.http("POST", PATHS[form], headers=(MESSAGES if form == "messages" else {}) | headers,
                          body=body.encode() if isinstance(body, str) else body, timeout=30)
    expect(answer.status == 200, f"the answer is a {answer.status}: {answer.data[:300]}")
    return answer


# Requests, as bytes

ODD = r'''"temperature" : 1.50,"seed":-0,"unknown_of_tomorrow":{"b":1e2,"a":[ ],"é\u00e9\/\ud83d\ude00":"\u0041\n\t\"","deep":[[[{"x":null}]]],"big":12345678901234567890.123456789},
	"metadata":{"z":"1","a":"2"} '''
REQUESTS = {
    "chat": [
        r'''"messages":[{"role":"system","content":"s","name":"n"},{"role":"developer","content":[{"type":"text","text":"d"}]},{"content":SCRIPT,"role":"user"}],''' + ODD,
        r'''"messages":[{"role":"user","content":[{"type":"text","text":SCRIPT},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{ \"a\" : 1.0 }"}}]},{"role":"tool","tool_call_id":"call_1","content":"r"}],"tools":[{"type":"function","function":{"name":"f","description":"","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"number"}},"required":["a"],"additionalProperties":false}}}],"tool_choice":"auto","parallel_tool_calls":false,"logit_bias":{"50256":-100},"top_p":0.10,"presence_penalty":-0.5,"user":"u","service_tier":"auto","reasoning_effort":"low","max_completion_tokens":99''',
        r'''"messages":[{"role":"user","content":SCRIPT}],"response_format":{"type":"json_object"},"stop":["a","\u0000"],"logprobs":true,"top_logprobs":2,"prediction":{"type":"content","content":"x"},"verbosity":"low","safety_identifier":"s","prompt_cache_key":"k"''',
    ],
    "messages": [
        r'''"max_tokens":99,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"content":SCRIPT,"role":"user"}],''' + ODD.replace('"z":"1","a":"2"', '"user_id":"u"'),
        r'''"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"c2ln+/=="},{"type":"redacted_thinking","data":"abc="},{"type":"text","text":"a","citations":null},{"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1.0,"a":"\u00e9"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"}],"is_error":false},{"type":"text","text":SCRIPT,"cache_control":{"type":"ephemeral"}}]}],"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}},{"type":"web_search_20260101","name":"web_search","max_uses":5}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"context_management":{"edits":[]},"output_config":{"effort":"low"},"mcp_servers":[],"container":null,"service_tier":"auto","top_k":5''',
        r'''"max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"title":"t","citations":{"enabled":true}},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"text","text":SCRIPT}]},{"role":"system","content":"in between"},{"role":"assistant","content":"begin"}],"stop_sequences":["\n\n"]''',
    ],
}


def made(form, target, body, script, streams):
    """A request's text, with members before and after what is replaced."""
    body = body.replace("SCRIPT", json.dumps(str(script)))
    stream = {None: "", True: '"stream":true,', False: '"stream" : false ,'}[streams]
    return '{ "model" : ' + json.dumps(target) + ",\r\n" + stream, body, "}"


for form in REQUESTS:
    @checks.check(f"{form}: a request goes out as it was written, but for model and stream")
    def sent(context, form=form):
        for index, body in enumerate(REQUESTS[form]):
            for streams in (None, False, True):
                script = Script()
                begin, middle, end = made(form, TARGETS[form], body, script, streams)
                post(context, form, begin + middle + end)
                calls = context.upstream.calls(script.id)
                equal(len(calls), 1, "the calls")
                received = calls[0]["body"]
                where = f"request {index}, stream {streams}"
                expect(middle.strip() in received, f"{where}: sent {middle!r}, received {received!r}")
                ours, theirs = json.loads(begin + middle + end), json.loads(received)
                equal(theirs.pop("model"), TARGETS[form].partition("/")[2], f"{where}: the model")
                ours.pop("model")
                streamed, options = theirs.pop("stream", False), theirs.pop("stream_options", None)
                expect(options in (None, {"include_usage": True}) and (streamed or options is None), f"{where}: stream_options is {options}")
                ours.pop("stream", None)
                equal(list(theirs.items()), list(ours.items()), f"{where}: the members in order")
                if form == "messages":
                    for name, value in MESSAGES.items():
                        equal(calls[0]["headers"].get(name), value, f"{where}: the header {name}")


@checks.check("count_tokens goes out as it was written, comes back as it was said, and is no job")
def counted(context):
    path = "/v1/messages/count_tokens"
    for body in REQUESTS["messages"]:
        script = Script()
        begin, middle, end = made("messages", TARGETS["messages"], re.sub(r'"max_tokens":\d+,', "", body), script, None)
        answer = context.http("POST", path, headers=MESSAGES, body=(begin + middle + end).encode())
        equal((answer.status, json.loads(answer.data), answer.getheader("x-agent-queue-estimate")), (200, {"input_tokens": 42}, None), "the answer")
        equal(answer.getheader("x-agent-queue-job"), None, "x-agent-queue-job")
        calls = context.upstream.calls(script.id)
        equal([call["path"] for call in calls], [path], "the calls")
        expect(middle.strip() in calls[0]["body"], f"sent {middle!r}, received {calls[0]['body']!r}")
        for name, value in MESSAGES.items():
            equal(calls[0]["headers"].get(name), value, f"the header {name}")
    # What is wrong with the request is told; a provider that cannot be asked now is no obstacle to an estimate.
    for status, wanted in ((400, 400), (429, 200), (500, 200), (529, 200)):
        script = Script(fail={"times": -1, "status": status, "message": "Not today, thank you."})
        body = {"model": TARGETS["messages"], "messages": [{"role": "user", "content": str(script)}]}
        answer = context.http("POST", path, headers=MESSAGES, body=json.dumps(body).encode())
        equal(answer.status, wanted, f"the status after a {status}")
        if wanted == 200:
            equal(answer.getheader("x-agent-queue-estimate"), "true", "x-agent-queue-estimate")
        else:
            expect(b"Not today, thank you." in answer.data, f"the provider's words are lost: {answer.data[:300]}")


# Replies, as bytes

REPLIES = {
    "chat": [
        '{ "id":"chatcmpl-\\u0041","object":"chat.completion","created":1.0e3,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"caf\\u00e9 \\ud83d\\ude00 \\/","annotations":[],"audio":null,"of_tomorrow":{"a":[1.50,-0]}},"logprobs":{"content":[]},"finish_reason":"stop"}],\n"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"unknown":{"x":1}},"service_tier":"x","system_fingerprint":null}',
        '{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{ \\"a\\" : 1.0 }"}}],"reasoning_content":"thoughts"},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n',
    ],
    "messages": [
        '{ "id":"msg_\\u0041","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"t","signature":"c2ln+/=="},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"caf\\u00e9 \\ud83d\\ude00","citations":[{"type":"char_location","cited_text":"x"}]},{"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1.50}},{"type":"of_tomorrow","x":[ ]}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":1},"x":-0},"container":{"id":"c"}}',
        '{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1.0,"a":"\\u00e9"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}\n',
    ],
}


for form in REPLIES:
    @checks.check(f"{form}: a reply comes as the provider wrote it, also attached to and from the cache")
    def received(context, form=form):
        for index, reply in enumerate(REPLIES[form]):
            script = Script(raw="HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                            f"content-length: {len(reply)}\r\n\r\n{reply}")
            body = json.dumps({"model": TARGETS[form], "max_tokens": 9, "messages": [{"role": "user", "content": str(script)}]})
            for name, headers in (("fresh", {"cache-control": "max-age=3600"}), ("attached", {"x-stainless-retry-count": "1"}),
                                  ("cached", {"cache-control": "max-age=3600"})):
                answer = post(context, form, body, **headers)
                equal(answer.data.decode(), reply, f"reply {index}, {name}")
                if name == "cached":
                    equal(answer.getheader("x-agent-queue-cache"), "hit", "x-agent-queue-cache")
                if name == "attached":
                    equal(answer.getheader("x-agent-queue-attached"), "true", "x-agent-queue-attached")
            equal(context.upstream.count(script.id), 1, f"the paid calls of reply {index}")


# The same values, however they come

CASES = {
    "text": dict(text=["Hel", "lo"]), "unicode": dict(text=["ca", "fé", " 😀", "\u200d👧", "\n", "\u0001\"\\"]), "long": dict(text=["x" * 17_000, "é", "z"]),
    "tool": dict(tool={"name": "look_up", "arguments": {"city": "Évora", "n": 1.5, "deep": {"a": [1, None]}}}),
    "cut": dict(finish={"chat": "length", "messages": "max_tokens"}), "thinking": dict(thinking="hmm, é", only="messages"),
}
ASKED = {
    "chat": lambda script: {"messages": [{"role": "user", "content": str(script)}], "max_tokens": 50, "tools": [
        {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]},
    "messages": lambda script: {"messages": [{"role": "user", "content": str(script)}], "max_tokens": 50, "tools": [
        {"name": "look_up", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]},
    "responses": lambda script: {"input": [{"role": "user", "content": str(script)}], "max_output_tokens": 50, "tools": [
        {"type": "function", "name": "look_up", "strict": False, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]},
}


def values(form, answer):
    """An answer's values, streamed or not, in one shape: text, thoughts, calls, end, tokens."""
    streams = answer.getheader("content-type").startswith("text/event-stream")
    return {"chat": chat_values, "messages": messages_values, "responses": responses_values}[form](answer.data.decode(), streams)


def data_of(text):
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {")]


def chat_values(text, streams):
    if not streams:
        choice = json.loads(text)["choices"][0]
        message = choice["message"]
        calls = [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message.get("tool_calls") or []]
        return message.get("content") or "", "", calls, choice["finish_reason"], json.loads(text)["usage"]["completion_tokens"]
    expect(text.endswith("data: [DONE]\n\n"), f"the stream has no end: {text[-200:]}")
    said, calls, finish, tokens = "", {}, None, None
    for chunk in data_of(text):
        for choice in chunk["choices"]:
            expect(finish is None, "a chunk follows the reason of the end")
            said += choice["delta"].get("content") or ""
            finish = choice["finish_reason"]
            for call in choice["delta"].get("tool_calls") or []:
                made = calls.setdefault(call["index"], [None, "", ""])
                made[0] = call.get("id") or made[0]
                made[1] += call["function"].get("name") or ""
                made[2] += call["function"].get("arguments") or ""
        if chunk.get("usage"):
            tokens = chunk["usage"]["completion_tokens"]
    return said, "", [(a, b, json.loads(c)) for a, b, c in calls.values()], finish, tokens


def messages_values(text, streams):
    if not streams:
        message = json.loads(text)
        blocks = message["content"]
    else:
        blocks, message = [], {}
        for event in data_of(text):
            kind = event["type"]
            expect(not message.get("over"), f"{kind} follows the end")
            if kind == "message_start":
                message = event["message"]
            elif kind == "content_block_start":
                equal(event["index"], len(blocks), "a block's index")
                blocks.append(dict(event["content_block"], json=""))
            elif kind == "content_block_delta":
                delta, block = event["delta"], blocks[event["index"]]
                for name, field in (("text_delta", "text"), ("thinking_delta", "thinking"), ("signature_delta", "signature"), ("input_json_delta", "partial_json")):
                    if delta["type"] == name:
                        target = "json" if field == "partial_json" else field
                        block[target] = block.get(target, "") + delta[field]
            elif kind == "content_block_stop" and blocks[event["index"]]["json"]:
                blocks[event["index"]]["input"] = json.loads(blocks[event["index"]]["json"])
            elif kind == "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
            elif kind == "message_stop":
                message["over"] = True
        expect(message.get("over"), f"the stream has no end: {text[-200:]}")
    return ("".join(block["text"] for block in blocks if block["type"] == "text"),
            "".join(block["thinking"] + "|" + block["signature"] for block in blocks if block["type"] == "thinking"),
            [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
            message["stop_reason"], message["usage"]["output_tokens"])


def responses_values(text, streams):
    if not streams:
        response = json.loads(text)
    else:
        events = data_of(text)
        numbers = [event["sequence_number"] for event in events]
        expect(numbers == sorted(set(numbers)), f"the sequence numbers do not rise: {numbers}")
        expect(events[-1]["type"] in ("response.completed", "response.incomplete"), f"the last event is {events[-1]['type']}")
        response = events[-1]["response"]
        deltas = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        arguments = "".join(event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta")
        said = "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])
        equal(deltas, said, "the text of the deltas, beside that of the last event,")
        equal(arguments, "".join(item["arguments"] for item in response["output"] if item["type"] == "function_call"), "the arguments of the deltas")
    return ("".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]), "",
            [(item["call_id"], item["name"], json.loads(item["arguments"])) for item in response["output"] if item["type"] == "function_call"],
            response["status"], response["usage"]["output_tokens"])


def same(context, form, target, case):
    """One answer in all its ways; what differs is told."""
    script = dict(case)
    if isinstance(script.get("finish"), dict):
        if target not in script["finish"]:
            return 0
        script["finish"] = script["finish"][target]
    if script.pop("only", target) != target:
        return 0
    expected = None
    for begins_streamed in (False, True):
        asked = Script(**script)
        body = {"model": TARGETS[target]} | ASKED[form](asked)
        options = {"stream_options": {"include_usage": True}} if form == "chat" else {}
        whole, streamed = json.dumps(body), json.dumps(body | {"stream": True} | options)
        fresh = {"cache-control": "max-age=3600"}
        ways = [("fresh", streamed if begins_streamed else whole, fresh), ("attached", whole, {"x-stainless-retry-count": "1"}),
                ("attached, streamed", streamed, {"x-stainless-retry-count": "1"}), ("cached", whole, fresh), ("cached, streamed", streamed, fresh)]
        # What was cut is not kept in the cache.
        for name, request, headers in ways[:3] if "finish" in script else ways:
            answer = post(context, form, request, **headers)
            found = list(values(form, answer))
            # Each script has an id of its own, and the calls' ids hold it.
            found[2] = [(identifier.replace(asked.id, "ID"), *rest) for identifier, *rest in found[2]]
            where = f"{form} over {target}, {name}, begun {'streamed' if begins_streamed else 'whole'}"
            if expected is None:
                expected = found
                told = case.get("text", [] if "tool" in case else ["Hel", "lo"])
                equal(found[0], "".join(told), f"{where}: the text")
                if "tool" in case:
                    equal(found[2][0][2], case["tool"]["arguments"], f"{where}: the arguments")
            equal(found, expected, where)
            if "cached" in name:
                equal(answer.getheader("x-agent-queue-cache"), "hit", f"{where}: x-agent-queue-cache")
        equal(context.upstream.count(asked.id), 1, f"the paid calls of {form} over {target}")
    return 2 * (3 if "finish" in script else 5)


for name in CASES:
    @checks.check(f"{name}: the same values whole, streamed, attached to, from the cache, in every form over every provider", bound=60)
    def ways(context, name=name):
        count, failures = 0, []
        for form in PATHS:
            for target in TARGETS:
                try:
                    count += same(context, form, target, CASES[name])
                except AssertionError as failure:
                    failures.append(str(failure)[:500])
        expect(not failures, " | ".join(failures))
        return f"{count} answers"


if __name__ == "__main__":
    checks.main("fidelity", at_once=3)
