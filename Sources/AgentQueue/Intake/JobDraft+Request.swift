import AgentQueueModel
import AgentQueueSettings

extension JobDraft {
    static let roles = ["system", "developer", "user", "assistant", "tool"]

    /// The members of the request's body, checked.
    func requestMembers(_ target: Target, in context: IntakeContext) throws(InputError) -> [JSONValue.Member] {
        guard kind != .memorize else { return try memorizeMembers(target, in: context) }
        var members: [JSONValue.Member] = []
        members.reserveCapacity(4 + parameters.count)
        if kind == .embed {
            members.append(.init("input", .array(try checkedInputs())))
        } else {
            members.append(.init("messages", .array(try checkedMessages())))
            if let maxTokens { members.append(.init("max_tokens", .integer(Int64(maxTokens)))) }
            if let temperature { members.append(.init("temperature", .double(temperature))) }
            if let schema { members.append(.init("response_format", Self.format(schema))) }
            members += try checkedUse(in: context)?.json ?? []
        }
        try appendParameters(to: &members)
        if let sample, sample > 0 { members.append(.init("sample", .integer(Int64(sample)))) }
        return members
    }

    private func appendParameters(to members: inout [JSONValue.Member]) throws(InputError) {
        for parameter in parameters {
            guard !parameter.value.isNull else { continue }
            switch parameter.key {
            case "stream", "stream_options", "encoding_format":
                continue
            case "n":
                guard parameter.value.int == 1 else {
                    throw InputError("n must be 1 (for several answers, add the job several times with sample 1, 2, …)", kind: .badData)
                }
                continue
            case "messages", "input", "sample", "max_tokens", "temperature", "model", "prompt", "system", "recall", "remember", "memory":
                throw InputError("\(parameter.key) cannot be given as another parameter", kind: .badData)
            case "max_completion_tokens":
                guard let count = parameter.value.int, count >= 1 else {
                    throw InputError("max_completion_tokens must be a whole number of at least 1", kind: .badData)
                }
            default:
                break
            }
            guard !TextSize.holdsNUL(parameter.value), !TextSize.holdsNUL(parameter.key) else {
                throw InputError("\(InvalidText.quoted(parameter.key)) holds a NUL character", kind: .badData)
            }
            members.append(parameter)
        }
    }

    private func checkedInputs() throws(InputError) -> [JSONValue] {
        guard tokenInputs.isEmpty else {
            guard tokenInputs.count <= JobLimits.maxEmbedInputs else { throw Self.tooManyInputs(tokenInputs.count) }
            return tokenInputs
        }
        guard let inputs, !inputs.isEmpty else { throw InputError("an embed job needs at least one text as input", kind: .badData) }
        guard inputs.count <= JobLimits.maxEmbedInputs else { throw Self.tooManyInputs(inputs.count) }
        var values: [JSONValue] = []
        values.reserveCapacity(inputs.count)
        for (index, text) in inputs.enumerated() {
            try Self.checkText(text, named: inputs.count == 1 ? "the input" : "input \(index + 1)")
            values.append(.string(text))
        }
        return values
    }

    private static func tooManyInputs(_ count: Int) -> InputError {
        InputError("an embed job takes at most \(JobLimits.maxEmbedInputs) texts, not \(count)", kind: .badData)
    }

    private func checkedMessages() throws(InputError) -> [JSONValue] {
        guard inputs == nil else { throw InputError("input belongs to a job of kind embed (use prompt or messages)", kind: .usage) }
        var all: [JSONValue] = []
        if let system, !system.isEmpty {
            try Self.checkText(system, named: "the system text")
            all.append(.object([.init("role", "system"), .init("content", .string(system))]))
        }
        switch (prompt, messages) {
        case (let prompt?, nil):
            try Self.checkText(prompt, named: "the prompt")
            all.append(.object([.init("role", "user"), .init("content", .string(prompt))]))
        case (nil, let messages?):
            guard !messages.isEmpty else { throw InputError("messages is an empty list", kind: .badData) }
            for (index, message) in messages.enumerated() { try Self.check(message, number: index + 1) }
            all.append(contentsOf: messages)
        case (_?, _?):
            throw InputError("prompt and messages cannot both be given", kind: .usage)
        case (nil, nil):
            throw InputError("a job needs a prompt or messages", kind: .badData)
        }
        return all
    }

    private static func check(_ message: JSONValue, number: Int) throws(InputError) {
        guard let members = message.members else {
            throw InputError("message \(number) must be an object, not \(message.kindName)", kind: .badData)
        }
        guard let role = message["role"]?.string else {
            throw InputError("message \(number) needs a role (\(roles.joined(separator: ", ")))", kind: .badData)
        }
        guard roles.contains(role) else {
            let help = Suggestion.nearest(to: role, in: roles).map { "did you mean '\($0)'?" } ?? "known: \(roles.joined(separator: ", "))"
            throw InputError("message \(number) has the unknown role \(InvalidText.quoted(role)) (\(help))", kind: .badData)
        }
        try check(message["content"] ?? .null, of: members, role: role, number: number)
        for member in members where member.key != "content" && member.key != "role" {
            guard !TextSize.holdsNUL(member.value), !TextSize.holdsNUL(member.key) else { throw holdsNUL("message \(number)") }
        }
    }

    private static func check(
        _ content: JSONValue, of members: [JSONValue.Member], role: String, number: Int
    ) throws(InputError) {
        switch content {
        case .string(let text):
            // A tool may return nothing, and an assistant message that calls tools may have no text.
            let mayBeBlank = role == "tool" || role == "assistant"
            try checkText(text, named: "the content of message \(number)", mayBeBlank: mayBeBlank)
        case .array(let parts):
            guard !parts.isEmpty else { throw InputError("message \(number) has an empty list as its content", kind: .badData) }
            for (index, part) in parts.enumerated() { try check(part: part, named: "part \(index + 1) of message \(number)") }
        case .null:
            guard role == "assistant", members.contains(where: { $0.key != "role" && $0.key != "content" && !$0.value.isNull }) else {
                throw InputError("message \(number) has no content", kind: .badData)
            }
        default:
            throw InputError(
                "the content of message \(number) must be a string or a list of parts, not \(content.kindName)", kind: .badData)
        }
    }

    private static func check(part: JSONValue, named name: String) throws(InputError) {
        guard part.members != nil else { throw InputError("\(name) must be an object, not \(part.kindName)", kind: .badData) }
        guard let type = part["type"]?.string else {
            throw InputError("\(name) needs a type, such as \"text\"", kind: .badData)
        }
        if type == "text" {
            guard let text = part["text"]?.string else { throw InputError("\(name) needs a text", kind: .badData) }
            try checkText(text, named: name, mayBeBlank: true)
        }
        guard !TextSize.holdsNUL(part) else { throw holdsNUL(name) }
    }

    private static func checkText(_ text: String, named name: String, mayBeBlank: Bool = false) throws(InputError) {
        guard mayBeBlank || !TextSize.isBlank(text) else { throw InputError("\(name) is empty", kind: .badData) }
        guard text.utf8.count <= JobLimits.maxPromptBytes else {
            let limit = ByteCountText.format(Int64(JobLimits.maxPromptBytes))
            throw InputError("\(name) is \(text.utf8.count) bytes long (at most \(limit))", kind: .badData)
        }
        guard !TextSize.holdsNUL(text) else { throw holdsNUL(name) }
    }

    private static func holdsNUL(_ name: String) -> InputError { InputError("\(name) holds a NUL character", kind: .badData) }
}
