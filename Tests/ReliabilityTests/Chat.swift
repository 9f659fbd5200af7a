import AgentQueueModel
import AgentQueueTestSupport

extension NewJob {
    /// A job that asks one question.
    static func asking(_ prompt: String, of target: String = "scripted/m") -> NewJob {
        let request = ModelRequest(
            kind: .generate, target: Target(target)!, body: ["messages": [["role": "user", "content": .string(prompt)]]])
        return NewJob(kind: .generate, target: request.target, body: request.storedBody, digest: request.digest(identity: "scripted"))
    }
}

extension RecordedRequest {
    /// What was asked.
    var prompt: String {
        (try? JSONValue.parse(body))?["messages"]?.array?.last?["content"]?.string ?? ""
    }

    /// The job and the token under which it was called, from the idempotency key.
    var lease: Lease? {
        let parts = (self["idempotency-key"] ?? "").split(separator: "-").compactMap { Int64($0) }
        return parts.count == 2 ? Lease(jobID: parts[0], token: parts[1]) : nil
    }
}

extension ScriptedAnswer {
    /// A good chat completion.
    static func saying(_ text: String, after gate: Gate? = nil) -> ScriptedAnswer {
        let reply: JSONValue = [
            "choices": [["index": 0, "message": ["role": "assistant", "content": .string(text)], "finish_reason": "stop"]],
            "usage": ["prompt_tokens": 3, "completion_tokens": 2],
        ]
        return ScriptedAnswer(json: reply.text, after: gate)
    }

    /// The question, given back, after so long.
    static func echo(_ request: RecordedRequest, after delay: Duration? = nil) -> ScriptedAnswer {
        guard let delay else { return .saying("echo \(request.prompt)") }
        let gate = Gate()
        Task {
            try await Task.sleep(for: delay)
            gate.open()
        }
        return .saying("echo \(request.prompt)", after: gate)
    }
}

extension Script {
    /// Gives every question back.
    static let echo = Script { .echo($0) }
    /// Never answers.
    static let hang = Script.always(.hang)
}
