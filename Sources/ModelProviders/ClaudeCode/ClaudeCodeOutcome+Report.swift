import JobModel
import ModelCalls

extension ClaudeCodeOutcome {
    /// What a job used and cost: of the result where there is one, which counts all that was asked; else of the events.
    struct Report {
        private(set) var usage: Usage
        /// In US dollars; nil where nothing says.
        private(set) var cost: Double?
        /// What answered; of several, what wrote most.
        private(set) var model: String?
        /// Why the program says it ended.
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
                // Nothing was counted, so nothing was charged for; what the events counted was, at a price unknown here.
                if usage != Usage() { cost = nil }
                return
            }
            usage = models.map { Self.usage(of: $0.value) }.reduce(Usage(), +)
            model = models.max { Self.usage(of: $0.value).outputTokens < Self.usage(of: $1.value).outputTokens }?.key ?? model
        }

        private static func usage(of model: JSONValue) -> Usage {
            func tokens(_ name: String) -> Int { min(max(0, model[name]?.int ?? 0), 1 << 40) }
            let read = tokens("cacheReadInputTokens")
            let written = tokens("cacheCreationInputTokens")
            return Usage(
                inputTokens: tokens("inputTokens") + read + written, outputTokens: tokens("outputTokens"), cacheReadTokens: read,
                cacheWriteTokens: written)
        }

        /// A failure with what it used and cost.
        func failure(_ kind: FailureClass, _ message: String, isMaybePaid: Bool = false) -> ModelFailure {
            ModelFailure(
                kind, message, requestID: turn.requestID, usage: usage, cost: cost, calls: turn.calls, isMaybePaid: isMaybePaid,
                partialText: turn.partialText)
        }
    }
}
