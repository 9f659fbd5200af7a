import AgentQueueModel
import AgentQueueSettings

extension JobDraft {
    /// Checks everything, and makes the job with its canonical request.
    ///
    /// Parameters that say only how an answer travels (`stream`, `stream_options`, `encoding_format`) and `n` of 1 are left out.
    /// - Throws: `InputError`: `usage` for what options say, `badData` for what a job holds.
    package func validated(in context: IntakeContext) throws(InputError) -> NewJob {
        guard role == nil else { return try withoutRole(in: context).validated(in: context) }
        let (target, identity) = try checkedTarget(in: context)
        let usesBatchAPI = try checkedBatchAPI(target, in: context)
        let times = try checkedTimes(now: context.now)
        try checkSettings()
        try checkNotifications(in: context)
        try checkMetadata()
        try checkSchema(in: context)
        let request = ModelRequest(kind: kind, target: target, body: .object(try requestMembers(target, in: context)))
        let (body, digest) = request.sealed(identity: identity)
        guard body.utf8.count <= JobLimits.maxRequestBytes else { throw Self.tooLarge }

        var job = NewJob(
            kind: kind, target: target, body: body, digest: digest, queue: queue ?? "default", isStreamed: isStreamed, budget: budget)
        if let priority { job.priority = priority }
        if let maxAttempts { job.maxAttempts = maxAttempts }
        job.scheduledAt = times.start
        job.expiresAt = times.expiry
        job.timeout = timeout?.milliseconds
        job.uniqueKey = uniqueKey
        job.customID = customID
        job.onFinish = Self.withoutRepeats(onFinish)
        job.onBatchFinish = Self.withoutRepeats(onBatchFinish)
        job.tags = Self.withoutRepeats(tags)
        job.batch = batch
        job.after = Self.withoutRepeats(after)
        job.metadata = metadata
        // What is asked of the model is known only when the memories are; and each text must be stored, whoever remembers the same.
        job.useCache = cache && context.usesCache && kind != .memorize && recall == nil && !remembers
        job.cacheTimeToLive = cacheTTL?.milliseconds
        job.usesBatchAPI = usesBatchAPI
        job.deadline = times.deadline
        if kind.isBatchable { job.inputs = inputs?.count ?? 1 }
        return job
    }

    /// Throws exactly where ``validated(in:)`` would, at a third of its cost: no canonical text, no digest.
    func check(in context: IntakeContext) throws(InputError) {
        guard role == nil else { return try withoutRole(in: context).check(in: context) }
        let (target, _) = try checkedTarget(in: context)
        _ = try checkedBatchAPI(target, in: context)
        _ = try checkedTimes(now: context.now)
        try checkSettings()
        try checkNotifications(in: context)
        try checkMetadata()
        try checkSchema(in: context)
        let body = JSONValue.object(try requestMembers(target, in: context))
        guard TextSize.bound(of: body) > JobLimits.maxRequestBytes else { return }
        guard body.utf8(sorted: false).count <= JobLimits.maxRequestBytes else { throw Self.tooLarge }
    }

    private static let tooLarge = InputError(
        "the whole request is longer than \(ByteCountText.format(Int64(JobLimits.maxRequestBytes)))", exit: .badData)

    private func checkedTarget(in context: IntakeContext) throws(InputError) -> (target: Target, identity: String) {
        let fallback = kind == .generate ? context.defaultTarget : context.defaultEmbeddingTarget
        let target: Target
        if let model {
            guard let named = Target(model) else {
                throw InputError(
                    "model \(InvalidText.quoted(model)) is not a target (write provider/model, such as \(fallback))", exit: .usage)
            }
            target = named
        } else {
            target = fallback
        }
        guard let identity = context.identity(target.provider) else {
            var help = Suggestion.hint(for: target.provider, in: context.providerNames)
            if help.isEmpty, !context.providerNames.isEmpty {
                help = " (configured: \(context.providerNames.prefix(20).joined(separator: ", ")))"
            }
            let name = InvalidText.quoted(target.provider)
            throw InputError("unknown provider \(name) in model \(InvalidText.quoted("\(target)"))\(help)", exit: .usage)
        }
        return (target, identity)
    }

    private func checkedTimes(now: Int64) throws(InputError) -> (start: Int64?, expiry: Int64?, deadline: Int64?) {
        let horizon = JobLimits.maxHorizonMilliseconds
        var start: Int64?
        if let delay = delay?.milliseconds {
            guard at == nil else { throw InputError("delay and at cannot both be given", exit: .usage) }
            try Self.checkSpan(delay, named: "delay", shortest: 0)
            if delay > 0 { start = now + delay }
        }
        if let at = at?.milliseconds {
            guard at <= now + horizon else {
                let text = DurationText.format(.milliseconds(horizon))
                throw InputError("at \(TimeText.format(at)) is too far ahead (at most \(text))", exit: .usage)
            }
            if at > now { start = at }
        }
        if let timeout = timeout?.milliseconds { try Self.checkSpan(timeout, named: "timeout", shortest: 1) }
        let deadline = deadline?.milliseconds
        if let deadline {
            try Self.checkSpan(deadline, named: "deadline", shortest: 1)
            if let start, now + deadline <= start {
                throw InputError(
                    "the answer would be wanted before the job may start (deadline \(DurationText.format(.milliseconds(deadline))) "
                        + "ends at \(TimeText.format(now + deadline)), its start is \(TimeText.format(start)))", exit: .usage)
            }
        }
        let due = deadline.map { now + $0 }
        guard let expiresIn = expiresIn?.milliseconds else { return (start, nil, due) }
        try Self.checkSpan(expiresIn, named: "expires_in", shortest: 1)
        let expiry = now + expiresIn
        if let start, expiry <= start {
            throw InputError(
                "the job would expire before it may start (expires_in \(DurationText.format(.milliseconds(expiresIn))) "
                    + "ends at \(TimeText.format(expiry)), its start is \(TimeText.format(start)))", exit: .usage)
        }
        return (start, expiry, due)
    }

    private static func checkSpan(_ milliseconds: Int64, named name: String, shortest: Int64) throws(InputError) {
        guard milliseconds >= 0 else { throw InputError("\(name) cannot be negative", exit: .usage) }
        guard milliseconds >= shortest else { throw InputError("\(name) must be at least \(shortest) ms", exit: .usage) }
        guard milliseconds <= JobLimits.maxHorizonMilliseconds else {
            let longest = DurationText.format(.milliseconds(JobLimits.maxHorizonMilliseconds))
            throw InputError("\(name) \(DurationText.format(.milliseconds(milliseconds))) is too long (at most \(longest))", exit: .usage)
        }
    }

    private func checkSettings() throws(InputError) {
        if let priority, !JobLimits.priorities.contains(priority) {
            throw InputError("priority must be 1 to 9 (lower runs first), not \(priority)", exit: .usage)
        }
        if let maxAttempts, !JobLimits.attempts.contains(maxAttempts) {
            throw InputError("max_attempts must be 1 to 1000, not \(maxAttempts)", exit: .usage)
        }
        if let budget, !(budget > 0 && budget <= JobDraft.maxBudget) {
            throw InputError("budget must be more than 0 and at most 1000000 US dollars, not \(budget)", exit: .usage)
        }
        try checkCacheTTL()
        if isStreamed, kind != .generate { throw InputError("only a generate job's answer can be streamed", exit: .usage) }
        if let queue {
            try Self.checkName(queue, named: "queue", limit: JobLimits.maxNameBytes)
            guard queue.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }) else {
                throw InputError(
                    "queue \(InvalidText.quoted(queue)) cannot hold blanks, commas or control characters", exit: .usage)
            }
        }
        if let batch { try Self.checkName(batch, named: "batch", limit: JobLimits.maxBatchNameBytes) }
        if let customID { try Self.checkName(customID, named: "custom_id", limit: JobLimits.maxBatchNameBytes) }
        if let uniqueKey { try Self.checkName(uniqueKey, named: "unique_key", limit: JobLimits.maxUniqueKeyBytes) }
        guard tags.count <= JobLimits.maxTags else {
            throw InputError("a job has at most \(JobLimits.maxTags) tags, not \(tags.count)", exit: .usage)
        }
        for tag in tags { try Self.checkName(tag, named: "tag", limit: JobLimits.maxNameBytes) }
        guard after.count <= JobLimits.maxDependencies else {
            throw InputError("a job waits for at most \(JobLimits.maxDependencies) others, not \(after.count)", exit: .usage)
        }
        for id in after where id < 1 { throw InputError("after: \(id) is not a job's id", exit: .usage) }
    }

    private static func checkName(_ text: String, named name: String, limit: Int) throws(InputError) {
        guard !TextSize.isBlank(text) else { throw InputError("\(name) is empty", exit: .usage) }
        guard text.utf8.count <= limit else {
            throw InputError("\(name) \(InvalidText.quoted(text)) is longer than \(limit) bytes", exit: .usage)
        }
        guard !TextSize.holdsNUL(text) else {
            throw InputError("\(name) \(InvalidText.quoted(text)) holds a NUL character", exit: .usage)
        }
    }

    private func checkMetadata() throws(InputError) {
        guard let metadata else { return }
        guard metadata.members != nil else {
            throw InputError("metadata must be an object, not \(metadata.kindName)", exit: .badData)
        }
        guard !TextSize.holdsNUL(metadata) else { throw InputError("metadata holds a NUL character", exit: .badData) }
        guard TextSize.bound(of: metadata) > JobLimits.maxMetadataBytes else { return }
        guard metadata.utf8(sorted: false).count <= JobLimits.maxMetadataBytes else {
            throw InputError(
                "metadata is longer than \(ByteCountText.format(Int64(JobLimits.maxMetadataBytes))) of JSON", exit: .badData)
        }
    }

    static func withoutRepeats<Element: Hashable>(_ elements: [Element]) -> [Element] {
        guard elements.count > 1 else { return elements }
        var seen = Set<Element>()
        return elements.filter { seen.insert($0).inserted }
    }
}

/// How a job's answer is come by, and kept.
extension JobDraft {
    /// What ``cacheTTL`` may be, in ms: 1 s to 3650 days, as `cache.ttl` of the configuration.
    static let cacheTTLs: ClosedRange<Int64> = 1_000...3_650 * 86_400_000

    func checkCacheTTL() throws(InputError) {
        guard let cacheTTL = cacheTTL?.milliseconds else { return }
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
