"""A model server that answers as each request's own prompt tells it to, and counts what it is asked.

The last user message holds a JSON object, the script of its answer:

    id          names the request; calls are counted by it. A check makes a new one for each request it means to be distinct.
    text        the pieces of the answer, default ["Hel", "lo"]; without any of the below the answer is these
    tool        {"name": ..., "arguments": {...}}: a tool is called instead; once its result is in the conversation, the text comes
    thinking    Anthropic only: a thinking block with a signature before the text
    fail        {"times": N, "status": S, "headers": {...}, "message": M}: the first N calls fail so (times: -1, all of them);
                {key} in the message becomes the key that was sent
    drop        {"times": N}: the first N calls lose their connection without an answer
    error_at    the index of the piece before which a stream fails with an error event
    break_at    the index of the piece before which a stream's connection is cut
    hold        "head", or the index of the piece (or "end") before which the answer waits for /control/release
    delay       seconds before the answer begins
    pause       seconds before each piece
    raw         the bytes that are sent (head and all, a character each) before the connection ends; a list is several calls' answers
    flood       [text, times]: what follows raw
    finish      the reason of the end, where it is not the usual one

It speaks OpenAI's chat completions, responses and embeddings and Anthropic's messages, count_tokens and models. /control/* is for the checks.
"""

import base64
import json
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import upstream_responses
from upstream_record import Call, Record, has_tool_result, script_of

MODELS = ["scripted", "claude-scripted"]


class Cut(Exception):
    """The connection is to be lost here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    record = Record()

    def log_message(self, *arguments):
        pass

    # Routes

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/control/"):
            arguments = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
            return self.send_json(200, self.record.answer(path, arguments))
        if path == "/v1/models":
            if "anthropic-version" in self.headers:
                models = [self.anthropic_model(name) for name in MODELS]
                return self.send_json(200, {"data": models, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})
            return self.send_json(200, {"object": "list", "data": [self.openai_model(name) for name in MODELS]})
        if path.startswith("/v1/models/") and path.rsplit("/", 1)[1] in MODELS:
            name = path.rsplit("/", 1)[1]
            return self.send_json(200, self.anthropic_model(name) if "anthropic-version" in self.headers else self.openai_model(name))
        self.send_failure(404, "There is no such model.", "model_not_found")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.read_body()
        path = self.path.partition("?")[0]
        try:
            request = json.loads(body)
        except ValueError:
            return self.send_failure(400, "The body is not JSON.", "invalid_json")
        if self.headers.get("authorization") == "Bearer wrong" or self.headers.get("x-api-key") == "wrong":
            return self.send_failure(401, "The key is not valid.", "invalid_api_key")
        if request.get("model") == "absent":
            return self.send_failure(404, "There is no such model.", "model_not_found")
        routes = {
            "/v1/chat/completions": self.chat, "/v1/embeddings": self.embeddings, "/v1/responses": self.response_api,
            "/v1/messages": self.messages, "/v1/messages/count_tokens": self.count_tokens,
        }
        if path not in routes:
            return self.send_failure(404, "There is no such path.", "not_found")
        if path == "/v1/embeddings":
            script = {"id": "embeddings"}
        elif path == "/v1/responses":
            items = request.get("input", "")
            script = script_of([{"role": "user", "content": items}] if isinstance(items, str) else items)
        elif not isinstance(request.get("messages"), list):
            return self.send_failure(400, "'messages' is missing.", "missing", "messages")
        else:
            script = script_of(request["messages"])
        call = Call(script["id"], path, {name.lower(): value for name, value in self.headers.items()}, body.decode())
        number = self.record.begin(call)
        outcome = "broken"
        try:
            self.begin(script, number)
            routes[path](request, script)
            outcome = "answered"
        except Cut:
            self.close_connection = True
            outcome = "cut"
        except OSError:
            self.close_connection = True
        finally:
            self.record.end(call, outcome)

    def begin(self, script, number):
        drop = script.get("drop")
        if drop and (drop["times"] < 0 or number <= drop["times"]):
            raise Cut
        time.sleep(script.get("delay", 0))
        if script.get("hold") == "head":
            self.record.hold(script["id"])
        raw = script.get("raw")
        if isinstance(raw, list):
            raw = raw[number - 1] if number <= len(raw) else None
        if raw is not None:
            self.wfile.write(raw.encode("latin-1"))
            text, times = script.get("flood", ("", 0))
            for _ in range(times):
                self.wfile.write(text.encode())
            raise Cut

    def failed(self, script):
        fail = script.get("fail")
        if not fail:
            return False
        number = len(self.record.of(script["id"]))
        if fail["times"] >= 0 and number > fail["times"]:
            return False
        message = fail.get("message", "Scripted failure.").replace("{key}", self.headers.get("authorization", self.headers.get("x-api-key", "")))
        self.send_failure(fail["status"], message, fail.get("code"), headers=fail.get("headers", {}))
        return True

    # OpenAI

    def openai_model(self, name):
        return {"id": name, "object": "model", "created": 1795330000, "owned_by": "tests"}

    def chat(self, request, script):
        if self.failed(script):
            return
        created = int(time.time())
        identifier = "chatcmpl-" + script["id"]
        pieces = script.get("text", ["Hel", "lo"])
        tool = script.get("tool") if not has_tool_result(request["messages"]) else None
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
                 "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}
        finish = "tool_calls" if tool else script.get("finish", "stop")
        if not request.get("stream"):
            if script.get("hold") not in (None, "head"):
                self.record.hold(script["id"])
            message = {"role": "assistant", "content": None if tool else "".join(pieces), "refusal": None, "annotations": []}
            if tool:
                message["tool_calls"] = [{"id": "call_" + script["id"], "type": "function",
                                          "function": {"name": tool["name"], "arguments": json.dumps(tool["arguments"])}}]
            return self.send_json(200, {
                "id": identifier, "object": "chat.completion", "created": created, "model": "scripted",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
                "usage": usage, "service_tier": "default", "system_fingerprint": "fp_scripted"})
        include_usage = (request.get("stream_options") or {}).get("include_usage")

        def chunk(delta, finish=None, **more):
            value = {"id": identifier, "object": "chat.completion.chunk", "created": created, "model": "scripted",
                     "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
                     "system_fingerprint": "fp_scripted"}
            if include_usage:
                value["usage"] = None
            value.update(more)
            return b"data: " + json.dumps(value).encode() + b"\n\n"

        self.begin_stream()
        self.write(chunk({"role": "assistant", "content": None if tool else "", "refusal": None}))
        if tool:
            arguments = json.dumps(tool["arguments"])
            self.write(chunk({"tool_calls": [{"index": 0, "id": "call_" + script["id"], "type": "function",
                                              "function": {"name": tool["name"], "arguments": ""}}]}))
            for piece in (arguments[:4], arguments[4:]):
                self.write(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
        else:
            for index, piece in enumerate(pieces):
                if self.stops(script, index):
                    return self.write(b'data: {"error":{"message":"Scripted error in the stream.","type":"server_error","param":null,"code":null}}\n\n', last=True)
                self.write(chunk({"content": piece}))
        self.stops(script, "end")
        self.write(chunk({}, finish))
        if include_usage:
            self.write(chunk({}, choices=[], usage=usage))
        self.write(b"data: [DONE]\n\n", last=True)

    def response_api(self, request, script):
        if self.failed(script):
            return
        items = request["input"] if isinstance(request["input"], list) else []
        tool = script.get("tool") if not has_tool_result(items) else None
        arguments = json.dumps(tool["arguments"]) if tool else ""
        answer = (script["id"], script.get("text", ["Hel", "lo"]), tool, arguments)
        if not request.get("stream"):
            if script.get("hold") not in (None, "head"):
                self.record.hold(script["id"])
            return self.send_json(200, upstream_responses.response(script["id"], [upstream_responses.item(*answer)]))
        self.begin_stream()
        number = 0
        for name, value in upstream_responses.events(*answer):
            if value is not None:
                data = json.dumps({"type": name, "sequence_number": number, **value})
                self.write(f"event: {name}\ndata: {data}\n\n".encode(), last=name == "response.completed")
                number += 1
            elif self.stops(script, name):
                error = {"type": "error", "sequence_number": number, "code": "server_error", "message": "Scripted error.", "param": None}
                return self.write(f"event: error\ndata: {json.dumps(error)}\n\n".encode(), last=True)

    def embeddings(self, request, script):
        inputs = request["input"]
        inputs = [inputs] if isinstance(inputs, str) or (inputs and isinstance(inputs[0], int)) else inputs
        data = []
        for index, text in enumerate(inputs):
            vector = [0.25, -0.5, float(len(text))]
            if request.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        self.send_json(200, {"object": "list", "model": request["model"], "data": data,
                             "usage": {"prompt_tokens": 3 * len(inputs), "total_tokens": 3 * len(inputs)}})

    # Anthropic

    def anthropic_model(self, name):
        return {"type": "model", "id": name, "display_name": name, "created_at": "2026-06-30T00:00:00Z", "lifecycle": "active",
                "max_input_tokens": 100000, "max_tokens": 8192}

    def count_tokens(self, request, script):
        if not self.failed(script):
            self.send_json(200, {"input_tokens": 42})

    def messages(self, request, script):
        if self.failed(script):
            return
        tool = script.get("tool") if not has_tool_result(request["messages"]) else None
        pieces = script.get("text", ["Hel", "lo"])
        usage = {"input_tokens": 5, "output_tokens": 2, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                 "service_tier": "standard"}
        message = {"id": "msg_" + script["id"], "type": "message", "role": "assistant", "model": "claude-scripted", "content": [],
                   "stop_reason": None, "stop_sequence": None, "stop_details": None, "container": None,
                   "usage": dict(usage, output_tokens=1)}
        stop = "tool_use" if tool else script.get("finish", "end_turn")
        blocks = []
        if script.get("thinking"):
            blocks.append({"type": "thinking", "thinking": script["thinking"], "signature": "c2lnbmVk+/=="})
        if tool:
            blocks.append({"type": "tool_use", "id": "toolu_" + script["id"], "name": tool["name"], "input": tool["arguments"]})
        else:
            blocks.append({"type": "text", "text": "".join(pieces)})
        if not request.get("stream"):
            if script.get("hold") not in (None, "head"):
                self.record.hold(script["id"])
            return self.send_json(200, dict(message, content=blocks, stop_reason=stop, usage=usage))

        def event(kind, **more):
            value = dict({"type": kind}, **more)
            return f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()

        self.begin_stream()
        self.write(event("message_start", message=message) + event("ping"))
        for index, block in enumerate(blocks):
            kind = block["type"]
            empty = {"text": {"type": "text", "text": ""}, "thinking": {"type": "thinking", "thinking": "", "signature": ""},
                     "tool_use": dict(block, input={})}[kind]
            self.write(event("content_block_start", index=index, content_block=empty))
            if kind == "thinking":
                self.write(event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": block["thinking"]}))
                self.write(event("content_block_delta", index=index, delta={"type": "signature_delta", "signature": block["signature"]}))
            elif kind == "tool_use":
                arguments = json.dumps(block["input"])
                for piece in (arguments[:4], arguments[4:]):
                    self.write(event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece}))
            else:
                for number, piece in enumerate(pieces):
                    if self.stops(script, number):
                        return self.write(event("error", error={"type": "api_error", "message": "Scripted error in the stream."}), last=True)
                    self.write(event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece}))
            self.write(event("content_block_stop", index=index))
        self.stops(script, "end")
        self.write(event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 2}))
        self.write(event("message_stop"), last=True)

    # Sending

    def stops(self, script, place):
        """Waits, or cuts, where the script says so; whether an error event belongs here."""
        if script.get("break_at") == place:
            raise Cut
        if script.get("hold") == place:
            self.record.hold(script["id"])
        time.sleep(script.get("pause", 0))
        return script.get("error_at") == place

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def common_headers(self):
        self.send_header("x-request-id", "req_upstream")
        self.send_header("request-id", "req_upstream")

    def send_json(self, status, value, headers={}):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.common_headers()
        for name, content in headers.items():
            self.send_header(name, content)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_failure(self, status, message, code=None, param=None, headers={}):
        if "anthropic-version" in self.headers:
            kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error",
                     529: "overloaded_error"}
            error = {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}, "request_id": "req_upstream"}
        else:
            kind = "invalid_request_error" if status < 500 else "server_error"
            error = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        self.send_json(status, error, headers)

    def begin_stream(self):
        self.send_response(200)
        self.common_headers()
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def write(self, data, last=False):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if last:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


def start(port=0):
    """A server in a thread of its own; its URL and its record."""
    Handler.record = Record()
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", Handler.record
