import AgentQueueDialects
import AgentQueueModel

/// What the output lines of one job have said so far.
///
/// Only the first response counts as the answer. The program asks the model again if a response was cut, refused, broken or empty,
/// and each call is charged.
struct ClaudeCodeTurn: Sendable, Equatable {
    /// What a line means.
    enum Reading: Sendable, Equatable {
        /// Nothing.
        case nothing
        /// The answer continues with this text.
        case text(String)
        /// The program is about to ask the model again, and must be stopped.
        case asksAgain
        /// The job is done.
        case result(JSONValue)
    }

    /// The latest news on a plan's limits.
    struct PlanLimit: Sendable, Equatable {
        /// Whether the limit is reached.
        var isRejected: Bool
        /// When it resets, in seconds since 1970, up to the year 9999.
        var resetsAt: Int64?
        /// Such as `five_hour` or `seven_day_opus`.
        var kind: String?
    }

    /// Whether the program has started the job. Nothing was asked before that.
    private(set) var hasBegun = false
    /// How many responses began. Each is charged.
    private(set) var calls = 0
    /// The first response's text; nil if it has none.
    private(set) var text: String?
    /// Whether a part of the text may be lost, because a line of the output could not be read.
    private(set) var hasGap = false
    /// Whether a character may have been cut between two pieces of the text.
    private(set) var isTorn = false
    /// The model's thinking before the answer, if reported.
    private(set) var reasoning: String?
    /// Why the first response ended, in Anthropic's terms; nil while it goes on, or if it broke off.
    private(set) var stopReason: String?
    /// Tokens of all responses, as their events count them: used if there is no result.
    private(set) var usage = Usage()
    /// The model that answered, according to the first response.
    private(set) var model: String?
    /// The provider's id for the call.
    private(set) var requestID: String?
    /// The kind of failure that the program reported: `authentication_failed`, `billing_error` …
    private(set) var errorKind: String?
    /// What was reported about the plan's limits.
    private(set) var planLimit: PlanLimit?
    /// The first response's text, if it arrived as a whole and not in pieces.
    private var wholeText: String?
    /// Tokens that the current response has counted so far.
    private var outputTokens = 0

    /// Whether the model may have worked on an answer that never arrived.
    var isAnswerOpen: Bool { hasBegun && (calls == 0 || stopReason == nil) }

    /// Takes the next line.
    mutating func read(_ line: JSONValue) -> Reading {
        switch line["type"]?.string {
        case "system":
            if line["subtype"]?.string == "init" { hasBegun = true }
            return .nothing
        case "stream_event": return read(event: line["event"] ?? .null)
        case "assistant":
            read(assistant: line)
            return .nothing
        case "user": return line["isSynthetic"]?.bool == true ? .asksAgain : .nothing
        case "rate_limit_event":
            let limit = line["rate_limit_info"]
            planLimit = PlanLimit(
                isRejected: limit?["status"]?.string == "rejected",
                resetsAt: limit?["resetsAt"]?.number.flatMap { Int64(exactly: $0.rounded()) }
                    .flatMap { (0..<253_402_300_800).contains($0) ? $0 : nil },
                kind: limit?["rateLimitType"]?.string)
            return .nothing
        case "unreadable":
            // What comes before is a banner.
            hasGap = hasGap || hasBegun
            return .nothing
        case "result":
            text = text ?? wholeText
            return .result(line)
        default: return .nothing
        }
    }

    /// Reads an event of the API's stream.
    private mutating func read(event: JSONValue) -> Reading {
        switch event["type"]?.string {
        case "message_start":
            calls += 1
            let message = event["message"]
            if calls == 1 { model = message?["model"]?.string }
            var started = Self.usage(message?["usage"])
            started.outputTokens = 0
            outputTokens = 0
            usage = usage + started
        case "content_block_delta":
            guard calls <= 1 else { return .nothing }
            switch event["delta"]?["type"]?.string {
            case "text_delta":
                guard let piece = event["delta"]?["text"]?.string, !piece.isEmpty else { return .nothing }
                text = (text ?? "") + piece
                isTorn = isTorn || piece.unicodeScalars.first == "\u{FFFD}" || piece.unicodeScalars.last == "\u{FFFD}"
                return .text(piece)
            case "thinking_delta":
                guard let piece = event["delta"]?["thinking"]?.string, !piece.isEmpty else { return .nothing }
                reasoning = (reasoning ?? "") + piece
            default: break
            }
        case "message_delta":
            if event["usage"]?["output_tokens"]?.int != nil {
                // Each counts from the beginning of the response.
                let counted = Self.usage(event["usage"]).outputTokens
                usage.outputTokens += counted - outputTokens
                outputTokens = counted
            }
            guard calls <= 1, let reason = event["delta"]?["stop_reason"]?.string else { return .nothing }
            stopReason = reason
            if reason == "max_tokens" || reason == "refusal" { return .asksAgain }
        default: break
        }
        return .nothing
    }

    private mutating func read(assistant line: JSONValue) {
        requestID = requestID ?? line["request_id"]?.string.flatMap(AnthropicReply.printable)
        if let kind = line["error"]?.string { errorKind = kind }
        let message = line["message"]
        guard calls <= 1, message?["model"]?.string != "<synthetic>" else { return }
        let texts = (message?["content"]?.array ?? []).compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }
        if !texts.isEmpty { wholeText = (wholeText ?? "") + texts.joined() }
    }

    /// What had arrived of the answer, for a failure.
    var partialText: String? { text ?? wholeText }

    /// Tokens as the API counts them, with those of the prompt cache apart from the rest.
    static func usage(_ usage: JSONValue?) -> Usage {
        func tokens(_ name: String) -> Int { TokenCount.read(usage?[name]) ?? 0 }
        let read = tokens("cache_read_input_tokens")
        let written = tokens("cache_creation_input_tokens")
        return Usage(
            inputTokens: tokens("input_tokens") + read + written, outputTokens: tokens("output_tokens"), cacheReadTokens: read,
            cacheWriteTokens: written)
    }
}
