import AgentQueueModel

/// Writes answers as the events of a response. A provider's own events pass with our id and our sequence numbers.
///
/// Numbers are places in the stream: an event takes one place, a delta as many as it has bytes, and bears the number of its last. So an
/// event's number does not depend on how the deltas were cut, and a client can go on after any number from a stored answer.
struct ResponsesStreamRenderer: StreamRenderer {
    private let context: ReplyContext
    private var isNative = false
    /// Whether `response.created` and `response.in_progress` are out.
    private var isOpen = false
    private var hasPieces = false
    private var isOver = false
    private var model: String?
    private var place = 0
    private var sequence = BlockSequence()
    private var progress = ReplyProgress()
    private var items: ResponseItems
    /// The provider's own last event.
    private var nativeEnd: (type: String, event: JSONValue)?

    init(_ context: ReplyContext) {
        self.context = context
        items = ResponseItems(context)
    }

    mutating func render(_ event: ReplyEvent, sample: Int) -> [UInt8] {
        switch event {
        case .begin(let model, _, let native):
            self.model = model ?? self.model
            isNative = native == .responses
            return isNative ? [] : open()
        case .native(let name, let data): return isNative ? native(name, data) : []
        default: return isNative ? [] : piece(event)
        }
    }

    /// The events that open every response. They are ours, so that they can go out before the provider has said anything.
    private mutating func open() -> [UInt8] {
        guard !isOpen else { return [] }
        isOpen = true
        let response = ResponsesReplyRenderer.response(context, status: "in_progress", model: model)
        return event("response.created", ["response": response]) + event("response.in_progress", ["response": response])
    }

    private mutating func piece(_ event: ReplyEvent) -> [UInt8] {
        progress.take(event)
        let steps = sequence.take(event)
        return steps.reduce(into: steps.isEmpty ? [] : open()) { $0 += step($1) }
    }

    private mutating func step(_ step: BlockSequence.Step) -> [UInt8] {
        hasPieces = true
        switch step {
        case .open:
            items.take(step)
            let added = event("response.output_item.added", index.merging(["item": items.item(isDone: false)]))
            guard let part else { return added }
            return added + event("response.content_part.added", part.merging(["part": items.part("")]))
        case .add(let text):
            items.take(step)
            return delta(names.delta, (part ?? item).merging([.init("delta", .string(text))] + names.logprobs))
        case .close:
            var bytes = event(names.done, (part ?? item).merging([.init(names.key, .string(items.text))] + names.logprobs + names.name))
            if let part { bytes += event("response.content_part.done", part.merging(["part": items.part(items.text)])) }
            let done: JSONValue = index.merging(["item": items.item(isDone: true)])
            items.take(step)
            return bytes + event("response.output_item.done", done)
        }
    }

    private var index: JSONValue { ["output_index": .integer(Int64(items.output.count))] }
    private var item: JSONValue { ["item_id": .string(items.id), "output_index": .integer(Int64(items.output.count))] }
    /// Where the open item's part is; nil for a call, which has none.
    private var part: JSONValue? {
        if case .call = items.block { return nil }
        return item.merging(["content_index": 0])
    }

    /// What the events of the open item are called, and what else they say.
    private var names: (delta: String, done: String, key: String, logprobs: [JSONValue.Member], name: [JSONValue.Member]) {
        switch items.block {
        case .text: ("response.output_text.delta", "response.output_text.done", "text", [.init("logprobs", [])], [])
        case .refusal: ("response.refusal.delta", "response.refusal.done", "refusal", [], [])
        case .reasoning: ("response.reasoning_text.delta", "response.reasoning_text.done", "text", [], [])
        case .call(_, let name):
            (
                "response.function_call_arguments.delta", "response.function_call_arguments.done", "arguments", [],
                [.init("name", .string(name))]
            )
        }
    }

    mutating func end(_ answer: Answer, sample: Int) -> [UInt8] {
        guard !isOver else { return [] }
        isOver = true
        if isNative, hasPieces || nativeEnd != nil {
            let bytes = open()
            if let nativeEnd { return bytes + event(nativeEnd.type, nativeEnd.event) }
            return bytes + completed(ResponsesReplyRenderer.body(of: answer, context))
        }
        model = answer.reply.model ?? model
        if !hasPieces, let own = answer.native(.responses).flatMap({ try? JSONValue.parse($0) }) {
            var bytes = open()
            for (index, item) in (own["output"]?.array ?? []).enumerated() {
                for piece in ResponseEvents.events(of: item, at: index) { bytes += write(piece) }
            }
            return bytes + completed(ResponsesReplyRenderer.relabelled(own, context))
        }
        var bytes = open()
        for event in progress.rest(of: answer) { bytes += piece(event) }
        for last in sequence.end() { bytes += step(last) }
        let (status, details) = ResponsesReplyRenderer.ending(of: answer)
        let usage = ResponsesReplyRenderer.usage(answer.reply.usage)
        return bytes
            + completed(
                ResponsesReplyRenderer.response(
                    context, status: status, model: model, output: items.output, details: details, usage: usage))
    }

    private mutating func completed(_ response: JSONValue) -> [UInt8] {
        event("response.\(response["status"] == "incomplete" ? "incomplete" : "completed")", ["response": response])
    }

    /// The first ping of a response opens it.
    mutating func ping(asChunk: Bool) -> [UInt8] { isOpen ? ServerSentEventWriter.comment : open() }

    mutating func failure(_ error: GatewayError) -> [UInt8] {
        // The job goes on, and so the response has not failed.
        if error.cause == .streamRestarted {
            let words = error.json(.openAI, requestID: context.requestID)["error"] ?? .null
            return event("error", ["code": words["code"] ?? .null, "message": words["message"] ?? .null, "param": .null])
        }
        let response = ResponsesReplyRenderer.body(of: error, context, output: items.output)
        return open() + event("response.failed", ["response": response])
    }
}

extension ResponsesStreamRenderer {
    /// An event that takes one place.
    private mutating func event(_ type: String, _ members: JSONValue) -> [UInt8] {
        defer { place += 1 }
        return numbered(type, members, place)
    }

    /// A delta, which takes a place for each of its bytes. Of one that the client has in part, the rest is written.
    private mutating func delta(_ type: String, _ members: JSONValue) -> [UInt8] {
        guard let text = members["delta"]?.string, !text.isEmpty else { return [] }
        defer { place += text.utf8.count }
        let last = place + text.utf8.count - 1
        guard let after = context.startingAfter, after >= place, after < last else { return numbered(type, members, last) }
        var start = text.utf8.index(text.utf8.startIndex, offsetBy: after - place + 1)
        while start > text.utf8.startIndex, text.utf8[start] & 0xC0 == 0x80 { start = text.utf8.index(before: start) }
        return numbered(type, members.setting("delta", .string(String(text[start...]))), last)
    }

    private func numbered(_ type: String, _ members: JSONValue, _ number: Int) -> [UInt8] {
        if let after = context.startingAfter, number <= after { return [] }
        let head: JSONValue = ["type": .string(type), "sequence_number": .integer(Int64(number))]
        return ServerSentEventWriter.event(head.merging(members.removing(["type", "sequence_number"])), name: type)
    }

    private mutating func write(_ event: JSONValue) -> [UInt8] {
        guard let type = event["type"]?.string else { return [] }
        return event["delta"]?.string == nil ? self.event(type, event) : delta(type, event)
    }

    /// A provider's own event. The last, which has the whole response, waits for the commit.
    private mutating func native(_ name: String?, _ data: String) -> [UInt8] {
        guard let value = try? JSONValue.parse(data), let type = value["type"]?.string ?? name else { return [] }
        var relabelled = value.setting("type", .string(type))
        if let response = value["response"], response.members != nil {
            relabelled = relabelled.setting("response", ResponsesReplyRenderer.relabelled(response, context))
            model = response["model"]?.string ?? model
        }
        switch type {
        case "response.created", "response.in_progress", "response.queued": return open()
        case "response.completed", "response.incomplete":
            nativeEnd = (type, relabelled)
            return []
        // The queue may ask again, and says itself if it does not.
        case "response.failed", "error": return []
        default:
            hasPieces = true
            return open() + write(relabelled)
        }
    }
}

/// Takes an item of a response that came in one piece apart into the events of a stream.
enum ResponseEvents {
    static func events(of item: JSONValue, at index: Int) -> [JSONValue] {
        let place: JSONValue = ["output_index": .integer(Int64(index))]
        let parts = ["message", "reasoning"].contains(item["type"]?.string ?? "") ? item["content"]?.array ?? [] : []
        let summary = item["summary"]?.array ?? []
        var empty = item
        for key in ["content", "summary"] where item[key]?.array != nil { empty = empty.setting(key, []) }
        for key in ["arguments", "input"] where item[key]?.string != nil { empty = empty.setting(key, "") }
        if item["status"] != nil { empty = empty.setting("status", "in_progress") }
        var events = [event("response.output_item.added", place.merging(["item": empty]))]
        let within: JSONValue = (["item_id": item["id"] ?? .null] as JSONValue).merging(place)
        for (number, part) in summary.enumerated() {
            events += self.events(of: part, "response.reasoning_summary", within.merging(["summary_index": .integer(Int64(number))]))
        }
        for (number, part) in parts.enumerated() {
            events += self.events(of: part, "response.content", within.merging(["content_index": .integer(Int64(number))]))
        }
        if let arguments = item["arguments"]?.string {
            let name = item["name"].map { [JSONValue.Member("name", $0)] } ?? []
            events += texts(arguments, "response.function_call_arguments", "arguments", within, onDone: name)
        } else if item["type"] == "custom_tool_call", let input = item["input"]?.string {
            events += texts(input, "response.custom_tool_call_input", "input", within)
        }
        return events + [event("response.output_item.done", place.merging(["item": item]))]
    }

    private static func events(of part: JSONValue, _ group: String, _ place: JSONValue) -> [JSONValue] {
        let isRefusal = part["type"] == "refusal"
        let key = isRefusal ? "refusal" : "text"
        var empty = part[key] == nil ? part : part.setting(key, "")
        if part["annotations"] != nil { empty = empty.setting("annotations", []) }
        var events = [event("\(group)_part.added", place.merging(["part": empty]))]
        let name =
            switch part["type"]?.string {
            case "refusal": "response.refusal"
            case "summary_text": "response.reasoning_summary_text"
            case "reasoning_text": "response.reasoning_text"
            default: "response.output_text"
            }
        let isText = name == "response.output_text"
        if let text = part[key]?.string { events += texts(text, name, key, place, extra: isText ? [.init("logprobs", [])] : []) }
        for (number, annotation) in (part["annotations"]?.array ?? []).enumerated() {
            let added: JSONValue = ["annotation_index": .integer(Int64(number)), "annotation": annotation]
            events.append(event("response.output_text.annotation.added", place.merging(added)))
        }
        return events + [event("\(group)_part.done", place.merging(["part": part]))]
    }

    private static func texts(
        _ text: String, _ name: String, _ key: String, _ place: JSONValue, extra: [JSONValue.Member] = [],
        onDone: [JSONValue.Member] = []
    ) -> [JSONValue] {
        let deltas = TextPieces(text).map { event("\(name).delta", place.merging([.init("delta", .string($0))] + extra)) }
        return deltas + [event("\(name).done", place.merging([.init(key, .string(text))] + extra + onDone))]
    }

    private static func event(_ type: String, _ members: JSONValue) -> JSONValue {
        (["type": .string(type)] as JSONValue).merging(members)
    }
}

extension JSONValue {
    /// The object with another's members after its own.
    func merging(_ other: JSONValue) -> JSONValue { .object((members ?? []) + (other.members ?? [])) }

    /// The object with further members after its own.
    func merging(_ others: [Member]) -> JSONValue { .object((members ?? []) + others) }
}
