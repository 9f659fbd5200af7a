import JobModel
import Settings

/// How a job's answer is come by, and kept.
extension JobDraft {
    /// What ``cacheTTL`` may be, in ms: 1 s to 3650 days, as `cache.ttl` of the configuration.
    static let cacheTTLs: ClosedRange<Int64> = 1_000...3_650 * 86_400_000

    func checkCacheTTL() throws(InputError) {
        guard let cacheTTL else { return }
        guard Self.cacheTTLs.contains(cacheTTL) else {
            let bounds = [Self.cacheTTLs.lowerBound, Self.cacheTTLs.upperBound].map { DurationText.format(.milliseconds($0)) }
            throw InputError(
                "cache_ttl \(DurationText.format(.milliseconds(cacheTTL))) is out of range (\(bounds[0]) to \(bounds[1]))", exit: .usage)
        }
        guard cache else { throw InputError("cache_ttl has no meaning for a job that does not use the cache", exit: .usage) }
    }

    func checkNotifications(in context: IntakeContext) throws(InputError) {
        if !onFinish.isEmpty { try NotificationName.check(onFinish, in: context) }
        guard !onBatchFinish.isEmpty else { return }
        guard batch != nil else { throw InputError("on_batch_finish needs a batch", exit: .usage) }
        try NotificationName.check(onBatchFinish, in: context)
    }

    /// Whether the job uses its provider's batch API. What the configuration says of a target is for the jobs that can be sent in a
    /// batch; what the job itself says is held to.
    /// - Throws: `InputError` where it asks for what cannot be, or has a deadline and does not use the batch API.
    func checkedBatchAPI(_ target: Target, in context: IntakeContext) throws(InputError) -> Bool {
        let isUsed: Bool
        switch batchAPI {
        case true?:
            if let obstacle = obstacleToBatch(context.kind(target.provider)) { throw InputError(obstacle, exit: .usage) }
            isUsed = true
        case false?: isUsed = false
        case nil: isUsed = context.usesBatchAPI(target) && obstacleToBatch(context.kind(target.provider)) == nil
        }
        if deadline != nil, !isUsed { throw InputError("deadline is for a job that uses the batch API (batch_api)", exit: .usage) }
        return isUsed
    }

    /// Why the job cannot be sent in a batch, in a sentence; nil if it can.
    private func obstacleToBatch(_ provider: ProviderKind) -> String? {
        if kind == .memorize { return "a memorize job cannot use the batch API" }
        if recall != nil || remembers { return "a job that recalls or remembers cannot use the batch API" }
        if isStreamed { return "a job of a batch is answered all at once, so stream and batch_api cannot both be given" }
        switch provider {
        case .openai: return nil
        case .anthropic: return kind == .embed ? "the batch API of anthropic takes no embed jobs" : nil
        case .claudeCode: return "claude-code has no batch API"
        }
    }
}
