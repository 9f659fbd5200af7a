import ModelCalls

extension BatchItemResult {
    /// The outcome, a failure's sentence with what the provider said behind it.
    func explained(by redaction: Redaction) -> Outcome {
        guard case .failure(var failure) = outcome, let remark else { return outcome }
        let words = redaction.clean(remark)
        if !words.isEmpty { failure.message = Redaction.line("\(failure.message): \(words)") }
        return .failure(failure)
    }
}
