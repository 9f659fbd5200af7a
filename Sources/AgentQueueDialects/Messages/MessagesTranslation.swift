import AgentQueueModel

/// Messages in the canonical form: Anthropic's words stay, but the system text is the first message, and stops and the answer's format
/// have OpenAI's names.
struct MessagesTranslation {
    /// The canonical members.
    private(set) var canonical: [JSONValue.Member] = []
    /// What asks a model of Anthropic's to work in a certain way, and changes what an answer costs more than what it says. Clients send
    /// it always, and no other provider can be asked for it. It is left out.
    private(set) var hints: [String] = []
    private var system: JSONValue?

    /// Translates the members of a request.
    init(_ members: [JSONValue.Member]) {
        for member in members { take(member) }
        guard let system else { return }
        let first: JSONValue = .object([.init("role", "system"), .init("content", system)])
        for index in canonical.indices where canonical[index].key == "messages" {
            canonical[index].value = .array([first] + (canonical[index].value.array ?? []))
        }
    }

    private mutating func take(_ member: JSONValue.Member) {
        switch member.key {
        case "system": if member.value != "", member.value != [] { system = member.value }
        case "stop_sequences": canonical.append(.init("stop", member.value))
        case "thinking": if member.value["type"] != "disabled" { hints.append("thinking") }
        case "context_management": hints.append("context_management")
        case "output_config": take(config: member.value.given)
        default: canonical.append(member)
        }
    }

    private mutating func take(config: [JSONValue.Member]) {
        var rest: [JSONValue.Member] = []
        for member in config {
            switch member.key {
            case "effort": hints.append("output_config.effort")
            case "format" where member.value["type"] == "json_schema" && member.value["schema"] != nil:
                let schema = member.value["schema"] ?? .null
                let format: JSONValue = ["name": "answer", "schema": schema, "strict": .bool(StrictSchema.holds(schema))]
                canonical.append(.init("response_format", ["type": "json_schema", "json_schema": format]))
            default: rest.append(member)
            }
        }
        if !rest.isEmpty { canonical.append(.init("output_config", .object(rest))) }
    }

    /// The request that canonical members came from; the order of the outermost members may differ.
    static func request(of canonical: [JSONValue.Member]) -> [JSONValue.Member] {
        var request: [JSONValue.Member] = []
        var config: [JSONValue.Member] = []
        for member in canonical {
            switch member.key {
            case "stop": request.append(.init("stop_sequences", member.value))
            case "response_format":
                let schema = member.value["json_schema"]?["schema"] ?? .null
                config.append(.init("format", ["type": "json_schema", "schema": schema]))
            case "output_config": config += member.value.members ?? []
            case "messages":
                let messages = member.value.array ?? []
                let system = messages.first.flatMap { $0["role"] == "system" ? $0["content"] : nil }
                if let system { request.append(.init("system", system)) }
                request.append(.init("messages", .array(system == nil ? messages : Array(messages.dropFirst()))))
            default: request.append(member)
            }
        }
        return config.isEmpty ? request : request + [.init("output_config", .object(config))]
    }

    /// A member's name in a request, by its canonical one.
    static func name(of canonical: String) -> String {
        switch canonical {
        case "stop": "stop_sequences"
        case "response_format": "output_config.format"
        default: canonical
        }
    }
}
