import JobModel

extension RunSnapshot {
    /// All calls, the ends that it has yet to be told applied.
    var calls: [String: KnownCall] {
        var calls = steps.mapValues { KnownCall(state: $0.state, jobID: $0.jobID, message: $0.message) }
        for end in ends {
            var call = calls[end.path] ?? KnownCall(state: .running, jobID: end.jobID)
            switch end.outcome {
            case .completed(let text):
                call.state = .completed
                call.text = text
            case .failed(let message):
                call.state = .failed
                call.message = message
            }
            calls[end.path] = call
        }
        return calls
    }
}
