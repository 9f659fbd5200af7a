import AgentQueueModel

/// Writes answers as chat completion chunks: a chunk with the role, the pieces, a chunk with the reason of the end, the tokens if they were
/// asked for, `[DONE]`.
///
/// A provider's own chunks pass as they came. With several samples each is given its sample's index.
struct ChatStreamRenderer: StreamRenderer {
    private struct Sample {
        var isNative = false
        var hasBegun = false
        var progress = ReplyProgress()
        /// A call's place among the sample's calls, by the provider's index.
        var places: [Int: Int] = [:]
        /// The provider's own end.
        var end: [UInt8] = []
        /// Whether the provider has said `[DONE]`.
        var isDone = false
        var hasUsage = false
        var usage: Usage?
    }

    private let context: ReplyContext
    private var samples: [Sample]
    private var model: String

    init(_ context: ReplyContext) {
        self.context = context
        samples = Array(repeating: Sample(), count: max(1, context.samples))
        model = context.model
    }

    mutating func render(_ event: ReplyEvent, sample: Int) -> [UInt8] {
        guard samples.indices.contains(sample) else { return [] }
        switch event {
        case .begin(let model, _, let native):
            self.model = model ?? self.model
            samples[sample].isNative = native == .chat
            return samples[sample].isNative ? [] : begin(sample)
        case .native(_, let data): return samples[sample].isNative ? native(data, sample) : []
        default: return samples[sample].isNative ? [] : piece(event, sample)
        }
    }

    /// The chunk with the role, once.
    private mutating func begin(_ sample: Int) -> [UInt8] {
        guard !samples[sample].hasBegun else { return [] }
        samples[sample].hasBegun = true
        return chunk(sample, delta: ["role": "assistant", "content": "", "refusal": .null])
    }

    private mutating func piece(_ event: ReplyEvent, _ sample: Int) -> [UInt8] {
        let delta: JSONValue
        switch event {
        case .text(let text) where !text.isEmpty: delta = ["content": .string(text)]
        case .reasoning(let text) where !text.isEmpty: delta = ["reasoning_content": .string(text)]
        case .refusal(let text) where !text.isEmpty: delta = ["refusal": .string(text)]
        case .toolCall(let index, let id, let name):
            guard samples[sample].places[index] == nil else { return [] }
            let place = samples[sample].places.count
            samples[sample].places[index] = place
            let function: JSONValue = ["name": .string(name), "arguments": ""]
            delta = ["tool_calls": [["index": .integer(Int64(place)), "id": .string(id), "type": "function", "function": function]]]
        case .arguments(let index, let text) where !text.isEmpty:
            guard let place = samples[sample].places[index] else { return [] }
            delta = ["tool_calls": [["index": .integer(Int64(place)), "function": ["arguments": .string(text)]]]]
        case .usage(let usage):
            samples[sample].usage = usage
            return []
        default: return []
        }
        samples[sample].progress.take(event)
        return begin(sample) + chunk(sample, delta: delta)
    }

    private func chunk(_ sample: Int, delta: JSONValue, logprobs: JSONValue = .null, finishReason: String? = nil) -> [UInt8] {
        let choice: JSONValue = [
            "index": .integer(Int64(sample)), "delta": delta, "logprobs": logprobs,
            "finish_reason": finishReason.map { .string($0) } ?? .null,
        ]
        return chunk(choices: [choice], usage: .null)
    }

    private func chunk(choices: JSONValue, usage: JSONValue, base: [JSONValue.Member]? = nil) -> [UInt8] {
        var members =
            base ?? [
                .init("id", .string(ChatReplyRenderer.id(context))), .init("object", "chat.completion.chunk"),
                .init("created", .integer(context.created)), .init("model", .string(model)),
            ]
        members.append(.init("choices", choices))
        if context.includesUsage { members.append(.init("usage", usage)) }
        return ServerSentEventWriter.event(.object(members))
    }

    mutating func end(_ answer: Answer, sample: Int) -> [UInt8] {
        guard samples.indices.contains(sample), !ended.contains(sample) else { return [] }
        var bytes: [UInt8] = []
        if samples[sample].isNative, samples[sample].hasBegun {
            bytes += samples[sample].end
            if bytes.isEmpty { bytes += chunk(sample, delta: .object([]), finishReason: ChatReplyRenderer.finishReason(of: answer)) }
        } else if !samples[sample].hasBegun, let own = answer.native(.chat).flatMap({ try? JSONValue.parse($0) }) {
            bytes += whole(own, sample)
        } else {
            if !samples[sample].hasBegun { model = answer.reply.model ?? model }
            bytes += begin(sample)
            for event in samples[sample].progress.rest(of: answer) { bytes += piece(event, sample) }
            bytes += chunk(sample, delta: .object([]), finishReason: ChatReplyRenderer.finishReason(of: answer))
        }
        samples[sample].usage = answer.reply.usage
        ended.insert(sample)
        return isOver ? bytes + close() : bytes
    }

    private var ended: Set<Int> = []
    private var isOver: Bool { ended.count == samples.count }

    /// What follows the last sample.
    private func close() -> [UInt8] {
        let isCounted = samples.count == 1 && samples[0].hasUsage
        guard context.includesUsage, !isCounted else { return ServerSentEventWriter.done }
        let sum = samples.reduce(Usage()) { $0 + ($1.usage ?? Usage()) }
        return chunk(choices: [], usage: ChatReplyRenderer.usage(sum)) + ServerSentEventWriter.done
    }

    mutating func ping(asChunk: Bool) -> [UInt8] {
        asChunk ? chunk(0, delta: .object([])) : ServerSentEventWriter.comment
    }

    mutating func failure(_ error: GatewayError) -> [UInt8] {
        ServerSentEventWriter.event(text: String(decoding: error.body(.openAI, requestID: context.requestID), as: UTF8.self))
    }
}

extension ChatStreamRenderer {
    /// A provider's own chunk. That with the reason of the end, and what follows it, wait for the commit.
    private mutating func native(_ data: String, _ sample: Int) -> [UInt8] {
        guard !samples[sample].isDone, let chunk = try? JSONValue.parse(data), chunk.members != nil else {
            // The mark is written where the stream ends, and what follows the provider's is no part of the answer; what else is no object
            // holds no piece of it.
            samples[sample].isDone = samples[sample].isDone || data.hasPrefix("[DONE]")
            return []
        }
        // The queue may ask again, and says itself if it does not.
        if let error = chunk["error"], !error.isNull { return [] }
        samples[sample].hasBegun = true
        let choices = chunk["choices"]?.array ?? []
        let hasUsage = chunk["usage"].map { !$0.isNull } ?? false
        if choices.isEmpty, hasUsage, !context.includesUsage || samples.count > 1 { return [] }
        samples[sample].hasUsage = samples[sample].hasUsage || hasUsage
        let isEnd = choices.contains { OpenAIReply.finishReason($0) != nil }
        let bytes = samples.count == 1 ? ServerSentEventWriter.event(text: data) : renumbered(chunk, choices, sample)
        guard isEnd || !samples[sample].end.isEmpty || (choices.isEmpty && hasUsage) else { return bytes }
        samples[sample].end += bytes
        return []
    }

    private func renumbered(_ chunk: JSONValue, _ choices: [JSONValue], _ sample: Int) -> [UInt8] {
        let index = JSONValue.integer(Int64(sample))
        return ServerSentEventWriter.event(
            chunk.setting("id", .string(ChatReplyRenderer.id(context))).setting("created", .integer(context.created))
                .setting("choices", .array(choices.map { $0.setting("index", index) })))
    }

    /// A completion that came in one piece, as chunks.
    private mutating func whole(_ body: JSONValue, _ sample: Int) -> [UInt8] {
        let isOnly = samples.count == 1
        var base: [JSONValue.Member] = []
        for member in body.members ?? [] where !["choices", "usage"].contains(member.key) {
            switch member.key {
            case "object": base.append(.init("object", "chat.completion.chunk"))
            case "id" where !isOnly: base.append(.init("id", .string(ChatReplyRenderer.id(context))))
            case "created" where !isOnly: base.append(.init("created", .integer(context.created)))
            default: base.append(member)
            }
        }
        func write(_ index: JSONValue, _ delta: JSONValue, _ logprobs: JSONValue, _ finish: JSONValue, to bytes: inout [UInt8]) {
            bytes += chunk(
                choices: [["index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish]], usage: .null, base: base)
        }
        var bytes: [UInt8] = []
        samples[sample].hasBegun = true
        let choices = body["choices"]?.array ?? []
        for (place, choice) in choices.enumerated() {
            let index = isOnly ? choice["index"] ?? .integer(Int64(place)) : .integer(Int64(sample))
            let deltas = ChatDeltas.deltas(of: choice["message"] ?? .null)
            for (number, delta) in deltas.enumerated() {
                write(index, delta, number == 0 ? choice["logprobs"] ?? .null : .null, .null, to: &bytes)
            }
            write(index, .object([]), .null, choice["finish_reason"] ?? "stop", to: &bytes)
        }
        if context.includesUsage, isOnly, let usage = body["usage"], !usage.isNull {
            samples[sample].hasUsage = true
            bytes += chunk(choices: [], usage: usage, base: base)
        }
        return bytes
    }
}

/// Takes a message apart into the deltas of a stream.
enum ChatDeltas {
    static func deltas(of message: JSONValue) -> [JSONValue] {
        var first: [JSONValue.Member] = [.init("role", message["role"] ?? "assistant")]
        var deltas: [JSONValue] = []
        for member in message.members ?? [] where member.key != "role" {
            switch member.value {
            case .string(let text):
                if member.key == "content" { first.append(.init("content", "")) }
                deltas += TextPieces(text).map { .object([.init(member.key, .string($0))]) }
            case .array(let calls) where member.key == "tool_calls":
                for (place, call) in calls.enumerated() { deltas += self.deltas(of: call, at: place) }
            default: first.append(member)
            }
        }
        return [.object(first)] + deltas
    }

    private static func deltas(of call: JSONValue, at place: Int) -> [JSONValue] {
        let index = JSONValue.Member("index", .integer(Int64(place)))
        let payload = call["custom"] == nil ? "function" : "custom"
        let key = payload == "custom" ? "input" : "arguments"
        let members = (call.members ?? []).filter { $0.key != "index" }
        guard let text = call[payload]?[key]?.string else { return [["tool_calls": [.object([index] + members)]]] }
        let head = JSONValue.object([index] + members).setting(payload, (call[payload] ?? .null).setting(key, ""))
        let pieces = TextPieces(text).map { JSONValue.object([index, .init(payload, .object([.init(key, .string($0))]))]) }
        return ([head] + pieces).map { ["tool_calls": [$0]] }
    }
}
