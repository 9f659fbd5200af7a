import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Jobs as JSON. Scripts rely on it: keys may be added but never renamed.
package enum JobJSON {
    /// - Parameters:
    ///   - wait: What it is waiting for. The key is present only if this is not nil.
    ///   - replaced: The answer before it was last asked anew. The key is present only if this is not nil.
    ///   - withOutput: Whether to add `output`, the parsed value of a reply with a schema.
    ///   - timeline: What has happened to it. Its keys are present only if this is not nil.
    package static func job(
        _ job: Job, waitsFor wait: String? = nil, withOutput: Bool = false, replaced: JobResult? = nil, timeline: JobTimeline? = nil
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", .integer(job.id)),
            .init("custom_id", string(job.customID)),
            .init("kind", .string(job.kind.rawValue)),
            .init("queue", .string(job.queue)),
            .init("model", .string(job.target.description)),
            .init("state", .string(job.state.rawValue)),
            .init("priority", .integer(Int64(job.priority))),
            .init("attempt", .integer(Int64(job.attempt))),
            .init("max_attempts", .integer(Int64(job.maxAttempts))),
            .init("worker", job.worker.map { .object([.init("id", .integer($0.id)), .init("pid", .integer($0.pid))]) } ?? .null),
            .init("created_at", time(job.createdAt)),
            .init("scheduled_at", time(job.scheduledAt)),
            .init("attempted_at", time(job.attemptedAt)),
            .init("finalized_at", time(job.finalizedAt)),
            .init("expires_at", time(job.expiresAt)),
            .init("cancel_requested_at", time(job.cancelRequestedAt)),
            .init("timeout", seconds(job.timeout)),
            .init("batch", string(job.batch)),
            .init("tags", .array(job.tags.map(JSONValue.string))),
            .init("metadata", job.metadata ?? .null),
            .init("unique_key", string(job.uniqueKey)),
            .init("after", .array(job.after.map(JSONValue.integer))),
            .init("run", job.runID.map(JSONValue.integer) ?? .null),
            .init("step", string(job.step)),
            .init("budget_usd", Money.json(job.budget)),
            .init("cache", .bool(job.usesCache)),
            .init("cache_ttl", seconds(job.cacheTimeToLive)),
            .init("batch_api", .bool(job.usesBatchAPI)),
            .init("deadline_at", time(job.deadline)),
            .init("digest", .string(Hexadecimal.text(job.digest))),
            .init("request", job.request),
            .init("result", job.result.map(result) ?? .null),
            .init("errors", .array(job.errors.map(error))),
        ]
        if withOutput { members.append(.init("output", job.output?.json ?? .null)) }
        if let replaced { members.append(.init("previous_result", Self.result(replaced))) }
        if let wait { members.append(.init("waits_for", .string(wait))) }
        if let timeline {
            members += [
                .init("timeline", timeline.json()), .init("waits", timeline.json(.waited)), .init("attempts", timeline.json(.attempt)),
                .init("sent", timeline.sent ?? .null),
            ]
        }
        return .object(members)
    }

    /// The reply with usage, cost and source, and any other members that the provider sent.
    package static func result(_ result: JobResult) -> JSONValue {
        var members: [JSONValue.Member] = [.init("text", result.reply["text"] ?? .null)]
        if let embeddings = result.reply["embeddings"] { members.append(.init("embeddings", embeddings)) }
        members.append(.init("finish_reason", result.reply["finish_reason"] ?? .null))
        let known: Set<String> = ["text", "embeddings", "finish_reason", "usage"]
        members += (result.reply.members ?? []).filter { !known.contains($0.key) }
        members += [
            .init("usage", usage(result.usage)),
            .init("cost_usd", Money.json(result.cost)),
            .init("answered_by", .string(result.answeredBy.rawValue)),
            .init("target", .string(result.target)),
            .init("latency_ms", .integer(result.latency)),
        ]
        return .object(members)
    }

    /// The counts of a batch.
    package static func batch(_ name: String, _ progress: BatchProgress) -> JSONValue {
        .object([
            .init("batch", .string(name)), .init("jobs", .integer(Int64(progress.jobs))),
            .init("completed", .integer(Int64(progress.completed))), .init("cancelled", .integer(Int64(progress.cancelled))),
            .init("discarded", .integer(Int64(progress.discarded))),
        ])
    }

    package static func usage(_ usage: Usage) -> JSONValue {
        .object([
            .init("input_tokens", .integer(Int64(usage.inputTokens))), .init("output_tokens", .integer(Int64(usage.outputTokens))),
        ])
    }

    /// RFC 3339 in UTC, or null.
    package static func time(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .string(TimeText.format($0)) } ?? .null
    }

    /// A string, or null.
    package static func string(_ text: String?) -> JSONValue {
        text.map(JSONValue.string) ?? .null
    }

    /// A number, or null.
    package static func number(_ value: Double?) -> JSONValue {
        value.map(JSONValue.double) ?? .null
    }

    private static func seconds(_ milliseconds: Int64?) -> JSONValue {
        milliseconds.map { .double(Double($0) / 1_000) } ?? .null
    }

    private static func error(_ error: JobError) -> JSONValue {
        .object([
            .init("attempt", .integer(Int64(error.attempt))), .init("at", time(error.at)),
            .init("class", .string(error.failure.rawValue)), .init("message", .string(error.message)),
            .init("target", string(error.target)), .init("cost_usd", Money.json(error.cost)), .init("partial", string(error.partialText)),
        ])
    }
}

/// The result of adding a job, as `enqueue --json` prints it.
package enum ReceiptJSON {
    package static func receipt(_ receipt: Enqueued) -> JSONValue {
        .object([
            .init("id", .integer(receipt.id)),
            .init("state", .string(receipt.state.rawValue)),
            .init("duplicate_of", receipt.duplicateOf.map(JSONValue.integer) ?? .null),
        ])
    }
}

/// What a pending job is waiting for.
package enum WaitSentence {
    package static func of(_ wait: JobWait) -> String {
        switch wait {
        case .identicalJob(let id): "the answer of an identical job" + (id.map { " (job \($0), running)" } ?? "")
        case .providerBatch(let id, .collecting): "provider batch \(id), which is collecting jobs"
        case .providerBatch(let id, _): "provider batch \(id)"
        case .jobs(let ids): (ids.count == 1 ? "job " : "jobs ") + ids.map(String.init).joined(separator: ", ")
        }
    }
}
