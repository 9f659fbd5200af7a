import AgentQueueDialects
import AgentQueueModel

/// Decides the outcome of a job. No other code does.
///
/// Source: the result messages of the program's stream-json output, and what the program was observed to do.
struct ClaudeCodeOutcome {
    /// What the job's lines said.
    let turn: ClaudeCodeTurn
    /// Whether the answer had to follow a schema.
    let hasSchema: Bool
    /// Removes keys and prompts from the program's words.
    let redaction: Redaction
    /// Wall clock, ms.
    let now: Int64
    /// The job's timeout, in ms.
    let timeout: Int64

    private static let hasGap = "claude wrote a line that cannot be read, and a part of the answer may be lost with it"
    private static let ignoresSchema = "claude's answer does not follow the JSON Schema"

    // MARK: With a result

    /// Decides by the program's result.
    /// - Parameter stop: why we stopped the job, if we did.
    func decide(_ result: JSONValue, stop: ClaudeCodeStop?) -> Outcome {
        let report = Report(result, turn)
        if result["is_error"]?.bool == false, result["subtype"]?.string == "success", !(stop == .askedAgain) {
            return answer(result, report)
        }
        // The first response may be complete even if what came after it is not.
        if let cut = cut(report) { return cut }
        if let stop, let failure = failure(of: stop, report) { return .failure(failure) }
        return .failure(failure(result, report))
    }

    /// A good answer, if it is one.
    private func answer(_ result: JSONValue, _ report: Report) -> Outcome {
        guard (result["num_turns"]?.int ?? 0) >= 1 || turn.calls > 0 else {
            return .failure(report.failure(.invalidReply, "claude answered without asking the model"))
        }
        if hasSchema {
            guard let output = result["structured_output"], !output.isNull else {
                return .failure(report.failure(.invalidReply, Self.ignoresSchema))
            }
            return .reply(reply(output.text, "stop", report))
        }
        var text = turn.text ?? result["result"]?.string ?? ""
        if turn.hasGap || turn.isTorn {
            // The result repeats the text of the last response.
            let repeated = turn.calls <= 1 ? result["result"]?.string : nil
            guard !turn.hasGap || repeated != nil else { return .failure(report.failure(.invalidReply, Self.hasGap)) }
            text = repeated ?? text
        }
        guard !text.isEmpty else { return .failure(report.failure(.invalidReply, "claude answered with an empty text")) }
        return .reply(reply(text, finishReason(result["stop_reason"]?.string), report))
    }

    /// The outcome of a first response that ended early: a reply that says so, or a refusal; nil if it was neither.
    private func cut(_ report: Report) -> Outcome? {
        switch turn.stopReason ?? report.stopReason {
        case "refusal": return .failure(report.failure(.refused, "the model declined to answer"))
        case "max_tokens", "model_context_window_exceeded":
            guard !turn.hasGap else { return .failure(report.failure(.invalidReply, Self.hasGap)) }
            guard !hasSchema, let text = turn.partialText, !text.isEmpty else {
                return .failure(report.failure(.invalidReply, "the answer reached its limit of tokens before it was of use"))
            }
            return .reply(reply(text, "length", report))
        case "end_turn" where hasSchema && turn.calls > 0:
            return .failure(report.failure(.invalidReply, Self.ignoresSchema))
        case "end_turn" where (turn.partialText ?? "").isEmpty && turn.calls > 0:
            return .failure(report.failure(.invalidReply, "claude answered with an empty text"))
        default: return nil
        }
    }

    private func reply(_ text: String, _ finishReason: String, _ report: Report) -> ModelReply {
        ModelReply(
            text: text, finishReason: finishReason, usage: report.usage, model: report.model, requestID: turn.requestID,
            reasoning: turn.reasoning, cost: report.cost, calls: max(1, turn.calls))
    }

    private func finishReason(_ reported: String?) -> String {
        switch turn.stopReason ?? reported {
        case "max_tokens", "model_context_window_exceeded": "length"
        case nil, "end_turn", "stop_sequence", "tool_use": "stop"
        case let word?: word
        }
    }

    // MARK: Failures that the program reports

    private func failure(_ result: JSONValue, _ report: Report) -> ModelFailure {
        let words = redaction.clean(result["result"]?.string ?? result["errors"]?.array?.compactMap(\.string).joined(separator: "; ") ?? "")
        switch result["subtype"]?.string {
        case "success": break
        case "error_max_turns", "error_max_structured_output_retries":
            let reason = hasSchema ? Self.ignoresSchema : "claude did not answer in one turn"
            return report.failure(.invalidReply, reason)
        case "error_max_budget_usd": return report.failure(.invalidReply, "claude ended the job at its own budget: \(words)")
        case "unreadable": return report.failure(.invalidReply, "claude's result cannot be read")
        default: return report.failure(.retryable, "claude broke the job off: \(words)", isMaybePaid: turn.isAnswerOpen)
        }
        let status = result["api_error_status"]?.int
        let (kind, scope) = classify(result, status: status, words: words)
        let name = result["api_error_type"]?.string ?? result["api_error"]?.string
        var message = "claude failed"
        if let status { message += " with status \(status)" }
        if let name { message += " (\(redaction.clean(name, maxBytes: 64)))" }
        if !words.isEmpty { message += ": \(words)" }
        // A connection that broke may have delivered the request; one that was refused did not.
        let isBroken = result["api_error"]?.string == "connection_failed" && !words.contains("refused")
        let isMaybePaid = kind == .timedOut || turn.isAnswerOpen && (turn.calls > 0 || isBroken)
        var failure = report.failure(kind, Redaction.line(message), isMaybePaid: isMaybePaid)
        failure.scope = scope
        if kind == .rateLimited, let resetsAt = turn.planLimit?.resetsAt, turn.planLimit?.isRejected == true {
            let wait = resetsAt * 1_000 - now
            failure.retryAfter = wait > 0 ? min(wait, RetryAfter.longest) : nil
        }
        return failure
    }

    private func classify(_ result: JSONValue, status: Int?, words: String) -> (FailureClass, FailureScope) {
        let type = result["api_error_type"]?.string
        let name = result["api_error"]?.string
        if words.contains("Credit balance is too low") || status == 402 || type == "billing_error" || turn.errorKind == "billing_error" {
            return (.quotaExhausted, .provider)
        }
        if ["prompt_too_long", "blocking_limit", "image_error"].contains(result["terminal_reason"]?.string) {
            return (.permanent, .target)
        }
        if status == 401 || status == 403 || turn.errorKind == "authentication_failed" || words.hasPrefix("Not logged in") {
            return (.authentication, .provider)
        }
        if name == "usage_limit_reached" || status == 429 && turn.planLimit?.isRejected == true && turn.planLimit?.resetsAt != nil {
            // A plan has one limit for all models, and weekly limits for the most expensive ones.
            let isOfModel = ["seven_day_opus", "seven_day_sonnet"].contains(turn.planLimit?.kind)
            return (.rateLimited, isOfModel ? .target : .provider)
        }
        switch status {
        case 429: return (.rateLimited, .target)
        case 503, 529: return (.overloaded, .target)
        case 408, 409, 425: return (.retryable, .target)
        case let code? where code >= 500: return (.retryable, .target)
        case let code? where code >= 400: return (.permanent, .target)
        default: break
        }
        return (words.hasPrefix("Request timed out") ? .timedOut : .retryable, .target)
    }

    // MARK: Failures without a result

    /// Decides about a job whose process ended, or had to be killed, before there was a result.
    /// - Parameters:
    ///   - stop: why we stopped the job, if we did.
    ///   - ending: how the process ended; nil if it has not.
    ///   - isFirst: whether it was the process's first job, in which case the arguments may be to blame.
    func decide(_ ending: ClaudeCodeEnding?, stop: ClaudeCodeStop?, isFirst: Bool) -> Outcome {
        let report = Report(.null, turn)
        if stop == .askedAgain, let cut = cut(report) { return cut }
        if let stop, let failure = failure(of: stop, report) { return .failure(failure) }
        switch ending {
        case .notStarted(let clause):
            if let shortage = ProcessShortage.ofFiles() { return .failure(.notConnected("claude was not started: \(shortage)")) }
            var failure = ModelFailure(.retryable, "claude cannot be started: \(Redaction.line(clause))")
            failure.scope = .provider
            return .failure(failure)
        case .exit(let code, let standardError):
            let words = redaction.clean(standardError)
            let message = Redaction.line("claude ended with \(code) before it answered" + (words.isEmpty ? "" : ": \(words)"))
            guard isFirst, !turn.hasBegun, code != 0, !words.isEmpty else {
                return .failure(report.failure(.retryable, message, isMaybePaid: turn.isAnswerOpen))
            }
            // The same arguments would be refused again. Other reasons why a program does not start are not the job's fault.
            if Self.isUsageError(standardError) { return .failure(report.failure(.permanent, message)) }
            var failure = report.failure(.retryable, message)
            failure.scope = .provider
            return .failure(failure)
        case .signal(let signal):
            let message = "claude was ended by signal \(signal) before it answered"
            return .failure(report.failure(.retryable, message, isMaybePaid: turn.isAnswerOpen))
        case .unreadable:
            return .failure(report.failure(.invalidReply, "claude printed a line too long to read", isMaybePaid: turn.isAnswerOpen))
        case nil:
            return .failure(report.failure(.retryable, "claude stopped answering", isMaybePaid: turn.isAnswerOpen))
        }
    }

    /// The meaning of our own stop; nil if something else ended the job.
    private func failure(of stop: ClaudeCodeStop, _ report: Report) -> ModelFailure? {
        switch stop {
        case .timedOut:
            let limit = DurationText.format(.milliseconds((max(0, timeout) + 50) / 100 * 100))
            return report.failure(.timedOut, "claude had not answered after \(limit)", isMaybePaid: turn.isAnswerOpen)
        case .cancelled: return report.failure(.cancelled, "the call to claude was cancelled", isMaybePaid: turn.isAnswerOpen)
        case .shutDown: return report.failure(.shutdown, "the worker stopped before claude had answered", isMaybePaid: turn.isAnswerOpen)
        case .askedAgain:
            let message = "claude's answer broke off; it was kept from asking again"
            return report.failure(.retryable, message, isMaybePaid: turn.isAnswerOpen)
        }
    }
}

extension ClaudeCodeOutcome {
    /// What a job used and cost: by the result, which counts everything, or else by the events.
    struct Report {
        private(set) var usage: Usage
        /// In US dollars; nil if not reported.
        private(set) var cost: Double?
        /// The model that answered; of several, the one that wrote most.
        private(set) var model: String?
        /// Why it ended, in the program's words.
        let stopReason: String?
        private let turn: ClaudeCodeTurn

        init(_ result: JSONValue, _ turn: ClaudeCodeTurn) {
            self.turn = turn
            usage = turn.usage
            model = turn.model
            cost = result["total_cost_usd"]?.number.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
            stopReason = result["stop_reason"]?.string
            let models = result["modelUsage"]?.members ?? []
            guard !models.isEmpty else {
                // Without any count nothing was charged. What the events counted was, at an unknown price.
                if usage != Usage() { cost = nil }
                return
            }
            usage = models.map { Self.usage(of: $0.value) }.reduce(Usage(), +)
            model = models.max { Self.usage(of: $0.value).outputTokens < Self.usage(of: $1.value).outputTokens }?.key ?? model
        }

        private static func usage(of model: JSONValue) -> Usage {
            func tokens(_ name: String) -> Int { TokenCount.read(model[name]) ?? 0 }
            let read = tokens("cacheReadInputTokens")
            let written = tokens("cacheCreationInputTokens")
            return Usage(
                inputTokens: tokens("inputTokens") + read + written, outputTokens: tokens("outputTokens"), cacheReadTokens: read,
                cacheWriteTokens: written)
        }

        /// A failure, with what it used and cost.
        func failure(_ kind: FailureClass, _ message: String, isMaybePaid: Bool = false) -> ModelFailure {
            ModelFailure(
                kind, message, requestID: turn.requestID, usage: usage, cost: cost, calls: turn.calls, isMaybePaid: isMaybePaid,
                partialText: turn.partialText)
        }
    }
}

extension ClaudeCodeOutcome {
    /// Whether the program refused its arguments, by its standard error.
    ///
    /// Source: what 2.1.330 wrote, and the messages of its argument parser, commander.
    static func isUsageError(_ standardError: String) -> Bool {
        standardError.split(whereSeparator: \.isNewline).contains { line in
            let words = line.lowercased()
            let clause = words.hasPrefix("error: ") ? String(words.dropFirst(7)) : words
            return beginnings.contains { clause.hasPrefix($0) } || parts.contains { clause.contains($0) }
        }
    }

    private static let beginnings = ["--", "option '", "invalid ", "missing required", "required option", "too many arguments"]
    private static let parts = ["unknown option", "unknown command", "requires --verbose"]
}
