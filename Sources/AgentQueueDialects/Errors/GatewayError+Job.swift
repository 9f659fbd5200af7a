import AgentQueueModel

extension GatewayError {
    /// The error of a job that ended without an answer, from its last failure. A refusal of the model is an ``Answer`` and no error.
    package init(_ failure: FailureClass, message: String, answer: ErrorAnswer? = nil) {
        let said = answer.flatMap { try? JSONValue.parse($0.body) }.flatMap { OpenAIError(body: $0) }
        switch failure {
        case .permanent:
            let isProviders = answer.map { (400..<500).contains($0.status) && ![401, 402, 403, 429].contains($0.status) } ?? false
            if isProviders {
                self.init(.providerRefused, said?.message ?? message, param: said?.param, code: said?.code)
            } else if let answer, (401...403).contains(answer.status) {
                self.init(.providerUnavailable, message)
            } else {
                // It was never sent: the target cannot be asked for this.
                self.init(.unsupportedParameter, message)
            }
        case .retryable, .overloaded, .refused: self.init(.upstream, message)
        case .unreachable, .authentication, .quotaExhausted: self.init(.providerUnavailable, message)
        case .rateLimited: self.init(.rateLimited, message)
        case .timedOut, .expired: self.init(.timeout, message)
        case .cancelled, .dependency: self.init(.cancelled, message)
        case .invalidReply: self.init(.invalidReply, message)
        case .crashed: self.init(.crashed, message)
        case .shutdown: self.init(.shuttingDown, message)
        }
        self.answer = answer
    }

    /// The error of a call that failed.
    package init(_ failure: ModelFailure) {
        self.init(failure.failure, message: failure.message, answer: failure.answer)
    }
}
