import JobModel

/// Puts a response together from its events: the last one holds all of it.
struct ResponsesStream: EventAssembler {
    private(set) var text = ""
    private(set) var hasBegun = false
    private(set) var body: JSONValue?
    private var items: [JSONValue] = []

    var usage: JSONValue? { body?["usage"] }

    mutating func take(_ event: ServerSentEvent) -> String {
        // What cannot be read is passed over: the answer shows by its end whether it is whole.
        guard body == nil, let value = try? JSONValue.parse(event.data) else { return "" }
        let type = value["type"]?.string ?? event.name ?? ""
        if type.hasPrefix("response.output_item.") || type.hasPrefix("response.") && type.hasSuffix(".delta") { hasBegun = true }
        switch type {
        case "response.output_text.delta":
            let added = value["delta"]?.string ?? ""
            text += added
            return added
        case "response.output_item.done":
            if let item = value["item"] { items.append(item) }
        case "response.completed", "response.incomplete", "response.failed": body = whole(value["response"] ?? .null)
        case "error":
            // Its own `code` and `message`, or an `error` that holds them.
            body = value["error"]?.members == nil ? ["error": value] : value
        default:
            if value["type"] == nil, OpenAIError(body: value) != nil { body = value }
        }
        return ""
    }

    /// Some servers leave the output out of the last event.
    private func whole(_ response: JSONValue) -> JSONValue {
        guard !items.isEmpty, response["output"]?.array?.isEmpty != false, let members = response.members else { return response }
        return .object(members.filter { $0.key != "output" } + [.init("output", .array(items))])
    }
}
