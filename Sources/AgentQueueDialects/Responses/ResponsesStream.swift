import AgentQueueModel

/// Assembles a response from its events. The last one contains all of it.
package struct ResponsesStream: EventAssembler {
    package private(set) var hasBegun = false
    package private(set) var body: JSONValue?
    package private(set) var unreadable: UnreadableEvent?
    package private(set) var hasFailed = false
    private var reader = EventReader()
    private var content = JoinedText()
    private var items: [JSONValue] = []
    private var reasoning = JoinedText()
    private var refusal = JoinedText()
    private var hasToldBegin = false
    /// The part of the reasoning that the last piece belonged to.
    private var thought: JSONValue?
    /// The calls, by the place of their item in the output.
    private var calls: [Int: Call] = [:]

    private struct Call {
        /// Its place among the calls.
        var index: Int
        var arguments = JoinedText()
    }

    package init() {}

    package var text: String { content.text }
    package var usage: JSONValue? { body?["usage"] }
    package var nativeBody: JSONValue? { hasFailed ? nil : body }

    package mutating func take(_ event: ServerSentEvent) -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        do throws(UnreadableEvent) {
            for content in try reader.read(event, isPiece: event.name?.hasPrefix("response.") == true) {
                take(content, name: event.name, &events)
            }
        } catch {
            // The last event may still bring all of the answer.
            if body == nil { unreadable = unreadable ?? error }
        }
        return events
    }

    private mutating func take(_ event: EventReader.Content, name: String?, _ events: inout [ReplyEvent]) {
        guard body == nil, case .json(let piece) = event else { return }
        let value = piece.value
        let type = value["type"]?.string ?? name ?? ""
        if type.hasPrefix("response.output_item.") || type.hasPrefix("response.") && type.hasSuffix(".delta") { hasBegun = true }
        if type.hasPrefix("response."), type != "response.failed", !hasToldBegin {
            hasToldBegin = true
            events.append(.begin(model: value["response"]?["model"]?.string, id: value["response"]?["id"]?.string, native: nil))
        }
        switch type {
        case "response.output_item.added": begin(value["item"] ?? .null, at: value["output_index"]?.int ?? 0, &events)
        case "response.output_item.done":
            if let item = value["item"] { items.append(item) }
        case "response.completed", "response.incomplete":
            end(value["response"] ?? .null)
            tellEnd(&events)
        case "response.failed":
            hasFailed = true
            body = whole(value["response"] ?? .null)
        case "error":
            hasFailed = true
            // Either `code` and `message`, or an `error` that contains them.
            body = value["error"]?.members == nil ? ["error": value] : value
        case _ where type.hasSuffix(".delta"): add(piece, type, &events)
        default:
            if value["type"] == nil, OpenAIError(body: value) != nil {
                hasFailed = true
                body = value
            }
        }
    }

    private mutating func begin(_ item: JSONValue, at place: Int, _ events: inout [ReplyEvent]) {
        guard ["function_call", "custom_tool_call"].contains(item["type"]?.string), calls[place] == nil else { return }
        let call = Call(index: calls.count)
        calls[place] = call
        events.append(
            .toolCall(index: call.index, id: (item["call_id"] ?? item["id"])?.string ?? "", name: item["name"]?.string ?? ""))
    }

    private mutating func add(_ piece: JSONPiece, _ type: String, _ events: inout [ReplyEvent]) {
        let delta = piece.unjoined["delta"]?.string ?? ""
        switch type {
        case "response.output_text.delta":
            let text = content.append(delta, hasHalves: piece.hasHalves)
            if !text.isEmpty { events.append(.text(text)) }
        case "response.refusal.delta":
            let text = refusal.append(delta, hasHalves: piece.hasHalves)
            if !text.isEmpty { events.append(.refusal(text)) }
        case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
            let value = piece.value
            let part: JSONValue = [value["output_index"] ?? .null, value["summary_index"] ?? value["content_index"] ?? .null]
            // As the parts of a whole answer's reasoning are joined.
            let separator = thought == nil || thought == part ? "" : "\n\n"
            thought = part
            let text = separator + reasoning.append(delta, hasHalves: piece.hasHalves)
            if !text.isEmpty { events.append(.reasoning(text)) }
        case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
            let place = piece.value["output_index"]?.int ?? 0
            guard let index = calls[place]?.index else { return }
            let text = calls[place]?.arguments.append(delta, hasHalves: piece.hasHalves) ?? ""
            if !text.isEmpty { events.append(.arguments(index: index, text)) }
        default: break
        }
    }

    private func tellEnd(_ events: inout [ReplyEvent]) {
        guard let body else { return }
        if let usage = body["usage"], !usage.isNull { events.append(.usage(OpenAIReply.usage(usage))) }
        guard let reason = try? ResponsesReply.finishReason(body, hasCalls: !calls.isEmpty) else { return }
        events.append(.finish(reason))
    }

    private mutating func end(_ response: JSONValue) {
        if response["output"]?.array?.isEmpty == false {
            unreadable = nil
            body = response
        } else if unreadable == nil {
            body = whole(response)
        }
    }

    /// Some servers leave the output out of the last event.
    private func whole(_ response: JSONValue) -> JSONValue {
        guard !items.isEmpty, response["output"]?.array?.isEmpty != false, let members = response.members else { return response }
        return .object(members.filter { $0.key != "output" } + [.init("output", .array(items))])
    }
}
