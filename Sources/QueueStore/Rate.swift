/// What is limited a minute.
enum Rate: Int, CaseIterable {
    case requests, tokens, inputTokens, outputTokens
}

extension CallLimits {
    /// The limit of a rate.
    subscript(rate: Rate) -> Double? {
        switch rate {
        case .requests: requestsPerMinute.map(Double.init)
        case .tokens: tokensPerMinute.map(Double.init)
        case .inputTokens: inputTokensPerMinute.map(Double.init)
        case .outputTokens: outputTokensPerMinute.map(Double.init)
        }
    }
}

extension CallEstimate {
    /// What a call takes of a rate.
    subscript(rate: Rate) -> Double {
        switch rate {
        case .requests: Double(requests)
        case .tokens: Double(inputTokens + outputTokens)
        case .inputTokens: Double(inputTokens)
        case .outputTokens: Double(outputTokens)
        }
    }
}
