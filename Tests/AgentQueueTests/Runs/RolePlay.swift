import AgentQueueModel
import AgentQueueTestSupport
import Synchronization

/// A chat server that answers by role: what a test does not say is whatever fits the schema that is asked for.
final class RolePlay: Sendable {
    /// One request, as a role sees it.
    struct Request: Sendable {
        var system: String
        var prompt: String
        var schema: JSONValue?
        var model: String
        var messages: Int
    }

    private let asked = Mutex<[Request]>([])
    private let answer: @Sendable (Request, _ turn: Int) -> String?

    /// - Parameter answer: what is said to a request; `turn` counts those whose system text is the same, from 1. Nil leaves it to the schema.
    init(_ answer: @escaping @Sendable (Request, _ turn: Int) -> String?) {
        self.answer = answer
    }

    /// What it was asked so far, in the order of arrival.
    var requests: [Request] { asked.withLock(\.self) }
    /// Those whose system text begins so.
    func requests(of role: String) -> [Request] { requests.filter { $0.system.hasPrefix(role) } }

    var script: Script {
        Script { [self] recorded in
            let body = (try? JSONValue.parse(recorded.body)) ?? .null
            let messages = body["messages"]?.array ?? []
            let request = Request(
                system: messages.first { $0["role"]?.string == "system" }?["content"]?.string ?? "",
                prompt: messages.first { $0["role"]?.string == "user" }?["content"]?.string ?? "",
                schema: body["response_format"]?["json_schema"]?["schema"], model: body["model"]?.string ?? "", messages: messages.count)
            let turn = asked.withLock { asked in
                asked.append(request)
                return asked.count { $0.system == request.system }
            }
            let text = answer(request, turn) ?? request.schema.map { Self.example(of: $0).text } ?? "reply \(turn)"
            let reply: JSONValue = [
                "choices": [["index": 0, "message": ["role": "assistant", "content": .string(text)], "finish_reason": "stop"]],
                "usage": ["prompt_tokens": 3, "completion_tokens": 2],
            ]
            return ScriptedAnswer(json: reply.text)
        }
    }

    /// The least that fits a schema of the kind that the pipelines have.
    private static func example(of schema: JSONValue) -> JSONValue {
        if let choices = schema["enum"]?.array { return choices[0] }
        switch schema["type"]?.string {
        case "object": return .object((schema["properties"]?.members ?? []).map { .init($0.key, example(of: $0.value)) })
        case "array": return .array(Array(repeating: example(of: schema["items"] ?? .null), count: schema["minItems"]?.int ?? 0))
        case "integer", "number": return .integer(Int64(schema["minimum"]?.int ?? 0))
        case "boolean": return false
        default: return "text"
        }
    }
}
