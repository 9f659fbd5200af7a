import AgentQueueModel
import AgentQueueTestSupport

/// What a scripted Messages API answers the real program with.
enum ScriptedClaude {
    /// A streamed answer.
    /// - Parameters:
    ///   - text: cut into pieces of five characters; empty is no content at all.
    ///   - tool: the input of a call of the tool that a schema adds.
    ///   - isWhole: false breaks the stream off before its end.
    static func stream(
        _ text: String, stopReason: String = "end_turn", tool: JSONValue? = nil, isWhole: Bool = true, after gate: Gate? = nil
    ) -> ScriptedAnswer {
        var events: [JSONValue] = [
            [
                "type": "message_start",
                "message": [
                    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "content": [], "stop_reason": .null,
                    "stop_sequence": .null,
                    "usage": [
                        "input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4,
                    ],
                ],
            ]
        ]
        if !text.isEmpty {
            events.append(["type": "content_block_start", "index": 0, "content_block": ["type": "text", "text": ""]])
            var rest = text[...]
            while !rest.isEmpty {
                let piece = JSONValue.string(String(rest.prefix(5)))
                events.append(["type": "content_block_delta", "index": 0, "delta": ["type": "text_delta", "text": piece]])
                rest = rest.dropFirst(5)
            }
            events.append(["type": "content_block_stop", "index": 0])
        }
        if let tool {
            let block: JSONValue = ["type": "tool_use", "id": "toolu_1", "name": "StructuredOutput", "input": [:]]
            let delta: JSONValue = ["type": "input_json_delta", "partial_json": .string(tool.text)]
            events.append(["type": "content_block_start", "index": 0, "content_block": block])
            events.append(["type": "content_block_delta", "index": 0, "delta": delta])
            events.append(["type": "content_block_stop", "index": 0])
        }
        if isWhole {
            let reason = JSONValue.string(tool == nil ? stopReason : "tool_use")
            events.append([
                "type": "message_delta", "delta": ["stop_reason": reason, "stop_sequence": .null], "usage": ["output_tokens": 5],
            ])
            events.append(["type": "message_stop"])
        }
        let body = events.map { "event: \($0["type"]?.string ?? "")\ndata: \($0.text)\n\n" }.joined()
        return ScriptedAnswer(
            headers: [("content-type", "text/event-stream"), ("request-id", "req_1")], body: Array(body.utf8), after: gate)
    }

    /// An error.
    static func error(_ status: Int, _ type: String, _ message: String, headers: [(String, String)] = []) -> ScriptedAnswer {
        let body: JSONValue = ["type": "error", "error": ["type": .string(type), "message": .string(message)], "request_id": "req_1"]
        return ScriptedAnswer(status, headers: headers + [("request-id", "req_1")], json: body.text)
    }

    /// A plan's limit, as a subscriber is told of it.
    static func planLimit(_ kind: String, resetsAt: Int64) -> ScriptedAnswer {
        error(
            429, "rate_limit_error", "This request would exceed your account's rate limit.",
            headers: [
                ("anthropic-ratelimit-unified-status", "rejected"), ("anthropic-ratelimit-unified-reset", "\(resetsAt)"),
                ("anthropic-ratelimit-unified-representative-claim", kind),
            ])
    }
}

extension RecordedRequest {
    /// Whether a model was asked, rather than the server whether it is there.
    var isCall: Bool { method == "POST" && path.hasPrefix("/v1/messages") && !path.hasPrefix("/v1/messages/") }
    /// The body as JSON.
    var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
    /// The last block of the user's message, which is what the job asks.
    var prompt: String? {
        let content = json["messages"]?.array?.first { $0["role"]?.string == "user" }?["content"]
        return content?.string ?? content?.array?.last?["text"]?.string
    }
}

/// Shell scripts that take the program's place, for what the real one does not do on demand.
enum FakeClaude {
    /// A script that says its version, and then does this with its jobs.
    static func script(version: String = "2.1.300 (Claude Code)", _ body: String) -> String {
        """
        #!/bin/sh
        if [ "$1" = --version ]; then echo "\(version)"; exit 0; fi
        \(body)
        """
    }

    /// Prints the lines of a good answer, which names what is in a shell variable.
    static func answer(_ variable: String = "1") -> String {
        let result =
            #"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":1,\"result\":\"answer \#(variable)\","#
            + #"\"stop_reason\":\"end_turn\",\"total_cost_usd\":0.5}"#
        return #"echo "{\"type\":\"system\",\"subtype\":\"init\"}"; echo "\#(result)""#
    }

    /// Prints what follows a good `/clear`.
    static let cleared =
        #"echo '{"type":"conversation_reset"}'; "#
        + #"echo '{"type":"result","subtype":"success","is_error":false,"num_turns":0,"total_cost_usd":0}'"#
}
