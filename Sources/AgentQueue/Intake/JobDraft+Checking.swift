import AgentQueueModel
import AgentQueueSettings

extension JobDraft {
    /// Checks everything, and makes the job with its request as it is stored.
    ///
    /// Parameters that only say how an answer is transmitted (`stream`, `stream_options`, `encoding_format`), and an `n` of 1, are left
    /// out.
    /// - Throws: `InputError`: `usage` for options, `badData` for the content of the job.
    package func validated(in context: IntakeContext) throws(InputError) -> NewJob {
        try validated(in: context, given: JobOption.given(in: self))
    }

    /// As ``validated(in:)``, for callers that know which options the draft sets. It saves finding them again for each of a million lines.
    func validated(in context: IntakeContext, given: JobOption.IDs) throws(InputError) -> NewJob {
        let checked = try checked(in: context, given: given)
        let draft = checked.draft
        let request = ModelRequest(kind: kind, target: checked.target, body: .object(checked.members))
        let (body, digest) = request.sealed(identity: checked.identity)
        guard body.utf8.count <= JobLimits.maxRequestBytes else { throw Self.tooLarge }

        var job = NewJob(
            kind: kind, target: checked.target, body: body, digest: digest, queue: draft.queue ?? "default",
            isStreamed: draft.isStreamed, budget: draft.budget)
        if let priority = draft.priority { job.priority = priority }
        if let maxAttempts = draft.maxAttempts { job.maxAttempts = maxAttempts }
        job.scheduledAt = checked.start
        job.expiresAt = checked.expiry
        job.timeout = draft.timeout?.milliseconds
        job.uniqueKey = draft.uniqueKey
        job.customID = draft.customID
        job.onFinish = Self.withoutRepeats(draft.onFinish)
        job.onBatchFinish = Self.withoutRepeats(draft.onBatchFinish)
        job.onFailure = Self.withoutRepeats(draft.onFailure)
        job.onBatchFailure = Self.withoutRepeats(draft.onBatchFailure)
        job.tags = Self.withoutRepeats(draft.tags)
        job.batch = draft.batch
        job.after = Self.withoutRepeats(draft.after)
        job.metadata = draft.metadata
        // With recall, the prompt is known only once the memories are. A memorize job must store its texts even if another job stores the
        // same.
        job.useCache = draft.cache && context.usesCache && kind != .memorize && draft.recall == nil && !draft.remembers
        job.cacheTimeToLive = draft.cacheTTL?.milliseconds
        job.usesBatchAPI = checked.usesBatchAPI
        job.deadline = checked.deadline
        if kind.isBatchable { job.inputs = draft.tokenInputs.isEmpty ? draft.inputs?.count ?? 1 : draft.tokenInputs.count }
        return job
    }

    /// Throws exactly when ``validated(in:)`` does, at a third of its cost: it makes no text and no digest.
    func check(in context: IntakeContext) throws(InputError) { try check(in: context, given: JobOption.given(in: self)) }

    func check(in context: IntakeContext, given: JobOption.IDs) throws(InputError) {
        let body = JSONValue.object(try checked(in: context, given: given).members)
        guard TextSize.bound(of: body) > JobLimits.maxRequestBytes else { return }
        guard body.utf8(sorted: false).count <= JobLimits.maxRequestBytes else { throw Self.tooLarge }
    }

    /// A checked draft with what checking determined. Times are wall clock, in ms.
    private struct Checked {
        /// Includes the options of its role.
        var draft: JobDraft
        var target: Target
        var identity: String
        var usesBatchAPI: Bool
        var start: Int64?
        var expiry: Int64?
        var deadline: Int64?
        /// The members of the request's body.
        var members: [JSONValue.Member]
    }

    private func checked(in context: IntakeContext, given: JobOption.IDs) throws(InputError) -> Checked {
        for option in given.options { try check(option) }
        if role != nil {
            let draft = try withoutRole(in: context)
            return try draft.checked(in: context, given: JobOption.given(in: draft))
        }
        let (target, identity) = try checkedTarget(in: context)
        if let reason = context.unlimitedCost(target, budget) { throw InputError(reason, kind: .usage) }
        let usesBatchAPI = try checkedBatchAPI(target, in: context)
        let times = try checkedTimes(now: context.now)
        if cacheTTL != nil, !cache {
            throw InputError("cache_ttl has no meaning for a job that does not use the cache", kind: .usage)
        }
        try checkNotifications(in: context)
        try checkSchema(in: context)
        return Checked(
            draft: self, target: target, identity: identity, usesBatchAPI: usesBatchAPI, start: times.start, expiry: times.expiry,
            deadline: times.deadline, members: try requestMembers(target, in: context))
    }

    private func check(_ option: JobOption) throws(InputError) {
        guard option.kinds.contains(kind) else {
            throw InputError("\(option.name) has no meaning for \(kind == .embed ? "an" : "a") \(kind.rawValue) job", kind: .usage)
        }
        do {
            try option.check(self)
        } catch {
            throw InputError(error, of: option.name)
        }
    }

    private static let tooLarge = InputError(
        "the whole request is longer than \(ByteCountText.format(Int64(JobLimits.maxRequestBytes)))", kind: .badData)

    private func checkedTarget(in context: IntakeContext) throws(InputError) -> (target: Target, identity: String) {
        let fallback = kind == .generate ? context.defaultTarget : context.defaultEmbeddingTarget
        let target: Target
        if let model {
            guard let named = Target(model) else {
                throw InputError(
                    "model \(InvalidText.quoted(model)) is not a target (write provider/model, such as \(fallback))", kind: .usage)
            }
            target = named
        } else {
            target = fallback
        }
        guard let identity = context.identity(target.provider) else {
            throw InputError(context.unknownProvider(target.provider, of: "\(target)"), kind: .usage)
        }
        return (target, identity)
    }

    private func checkedTimes(now: Int64) throws(InputError) -> (start: Int64?, expiry: Int64?, deadline: Int64?) {
        var start: Int64?
        if let delay = delay?.milliseconds {
            guard at == nil else { throw InputError("delay and at cannot both be given", kind: .usage) }
            if delay > 0 { start = now + delay }
        }
        if let at = at?.milliseconds {
            let horizon = JobLimits.maxHorizonMilliseconds
            guard at <= now + horizon else {
                let text = DurationText.format(.milliseconds(horizon))
                throw InputError("at \(TimeText.format(at)) is too far ahead (at most \(text))", kind: .usage)
            }
            if at > now { start = at }
        }
        func end(_ span: Duration?, named name: String, else sentence: String) throws(InputError) -> Int64? {
            guard let span else { return nil }
            let end = now + span.milliseconds
            guard let start, end <= start else { return end }
            throw InputError(
                "\(sentence) (\(name) \(DurationText.format(span)) ends at \(TimeText.format(end)), its start is \(TimeText.format(start)))",
                kind: .usage)
        }
        let due = try end(deadline, named: "deadline", else: "the answer would be wanted before the job may start")
        return (start, try end(expiresIn, named: "expires_in", else: "the job would expire before it may start"), due)
    }

    static func withoutRepeats(_ texts: [String]) -> [String] {
        guard texts.count > 1 else { return texts }
        var seen = Set<ExactText>()
        return texts.filter { seen.insert(ExactText($0)).inserted }
    }

    static func withoutRepeats<Element: Hashable>(_ elements: [Element]) -> [Element] {
        guard elements.count > 1 else { return elements }
        var seen = Set<Element>()
        return elements.filter { seen.insert($0).inserted }
    }
}

/// Checks of notifications and of the batch API.
extension JobDraft {
    func checkNotifications(in context: IntakeContext) throws(InputError) {
        for names in [onFinish, onFailure] where !names.isEmpty { try NotificationName.check(names, in: context) }
        for (option, names) in [("on_batch_finish", onBatchFinish), ("on_batch_failure", onBatchFailure)] where !names.isEmpty {
            guard batch != nil else { throw InputError("\(option) needs a batch", kind: .usage) }
            try NotificationName.check(names, in: context)
        }
    }

    /// Whether the job uses its provider's batch API. The configuration's setting for a target applies only to jobs that can be sent in a
    /// batch; the job's own setting is binding.
    /// - Throws: `InputError` if the job asks for the batch API and cannot use it, or has a deadline and does not use it.
    func checkedBatchAPI(_ target: Target, in context: IntakeContext) throws(InputError) -> Bool {
        let isUsed: Bool
        switch batchAPI {
        case true?:
            if let obstacle = obstacleToBatch(target, in: context) { throw InputError(obstacle, kind: .usage) }
            isUsed = true
        case false?: isUsed = false
        case nil: isUsed = context.usesBatchAPI(target) && obstacleToBatch(target, in: context) == nil
        }
        if deadline != nil, !isUsed { throw InputError("deadline is for a job that uses the batch API (batch_api)", kind: .usage) }
        return isUsed
    }

    /// Why the job cannot be sent in a batch, as a sentence; nil if it can.
    private func obstacleToBatch(_ target: Target, in context: IntakeContext) -> String? {
        if kind == .memorize { return "a memorize job cannot use the batch API" }
        if recall != nil || remembers { return "a job that recalls or remembers cannot use the batch API" }
        if isStreamed { return "a job of a batch is answered all at once, so stream and batch_api cannot both be given" }
        switch context.kind(target.provider) {
        case .openai: return nil
        case .anthropic: return kind == .embed ? "the batch API of anthropic takes no embed jobs" : nil
        case .claudeCode: return "claude-code has no batch API"
        case nil: return "provider \(InvalidText.quoted(target.provider)) has no batch API"
        }
    }
}
