import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Explains why the later of two identical jobs was, or was not, answered from the cache.
package enum CacheReason {
    /// - Parameters:
    ///   - earlier: The job that may have filled the cache.
    ///   - later: The job that may have been answered from it.
    ///   - entry: Their cache entry, if there is one now.
    package static func sentence(earlier: Job, later: Job, entry: CacheEntrySummary?) -> String {
        answered(later) ?? refused(earlier, later) ?? unanswered(earlier) ?? unkept(earlier) ?? missed(earlier, later, entry)
    }

    private static func answered(_ later: Job) -> String? {
        switch later.result?.answeredBy {
        case .cache: "job \(later.id) was answered from the cache"
        case .coalesced: "job \(later.id) shared the call of an identical job"
        case .provider, .fallback, nil: nil
        }
    }

    private static func refused(_ earlier: Job, _ later: Job) -> String? {
        if !later.useCache { return "job \(later.id) does not use the cache" }
        return earlier.useCache ? nil : "job \(earlier.id) does not use the cache, so its answer was not cached"
    }

    private static func unanswered(_ earlier: Job) -> String? {
        guard earlier.state != .completed else { return nil }
        return earlier.state.isFinal
            ? "job \(earlier.id) has no answer (\(earlier.state.displayName))" : "job \(earlier.id) has not finished yet"
    }

    /// Answers that `ModelReply.isComplete` keeps out of the cache, and answers cached for another target.
    private static func unkept(_ earlier: Job) -> String? {
        guard let result = earlier.result else { return nil }
        if result.answeredBy == .fallback {
            return "job \(earlier.id) was answered by the fallback \(result.target), and its answer is cached for that model only"
        }
        let end = result.reply["finish_reason"]?.string
        guard result.reply["embeddings"] == nil, end != "stop", end != "tool_calls" else { return nil }
        return
            "the answer of job \(earlier.id) was incomplete (finish reason \(InvalidText.quoted(end ?? "none"))), so it was not cached"
    }

    private static func missed(_ earlier: Job, _ later: Job, _ entry: CacheEntrySummary?) -> String {
        let asked = later.attemptedAt ?? later.createdAt
        if later.result != nil, let end = earlier.finalizedAt, end > asked {
            return "job \(earlier.id) was answered after job \(later.id) had started"
        }
        let isOpen = !later.state.isFinal
        guard let entry else { return "the answer is no longer cached: it expired, or was evicted or deleted" }
        if isOpen { return "job \(later.id) has not finished yet; the answer is cached until \(TimeText.format(entry.expiresAt))" }
        if entry.createdAt > asked {
            return "the answer was not cached when job \(later.id) started: it had expired, or had been evicted or deleted"
        }
        if entry.expiresAt <= asked { return "the cached answer expired at \(TimeText.format(entry.expiresAt))" }
        return "the answer was cached, but job \(later.id) was \(later.state.displayName) without it"
    }
}

/// Cache entries as JSON.
package enum CacheJSON {
    package static func entry(_ entry: CacheEntrySummary, withReply: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("digest", .string(Hexadecimal.text(entry.digest))),
            .init("target", .string(entry.target)),
            .init("bytes", .integer(Int64(entry.bytes))),
            .init("hits", .integer(Int64(entry.hits))),
            .init("cost_usd", Money.json(entry.cost)),
            .init("created_at", JobJSON.time(entry.createdAt)),
            .init("expires_at", JobJSON.time(entry.expiresAt)),
            .init("last_used_at", JobJSON.time(entry.lastUsedAt)),
        ]
        if withReply { members.append(.init("reply", (try? JSONValue.parse(entry.reply))?.withoutNative ?? .string(entry.reply))) }
        return .object(members)
    }
}
