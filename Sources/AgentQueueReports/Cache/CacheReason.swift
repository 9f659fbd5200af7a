import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Why the later of two identical jobs was not answered from the cache, or that it was.
package enum CacheReason {
    /// One sentence.
    /// - Parameters:
    ///   - earlier: the job that might have filled the cache.
    ///   - later: the job that might have been answered from it.
    ///   - entry: what the cache holds for them now.
    package static func sentence(earlier: Job, later: Job, entry: CacheEntrySummary?) -> String {
        answered(later) ?? refused(earlier, later) ?? unanswered(earlier) ?? unkept(earlier) ?? missed(earlier, later, entry)
    }

    private static func answered(_ later: Job) -> String? {
        switch later.result?.answeredBy {
        case .cache: "job \(later.id) was answered from the cache"
        case .coalesced: "job \(later.id) was answered by the call made for an identical job"
        case .provider, .fallback, nil: nil
        }
    }

    private static func refused(_ earlier: Job, _ later: Job) -> String? {
        if !later.useCache { return "job \(later.id) does not use the cache" }
        return earlier.useCache ? nil : "job \(earlier.id) does not use the cache, so its answer was not kept"
    }

    private static func unanswered(_ earlier: Job) -> String? {
        guard earlier.state != .completed else { return nil }
        return earlier.state.isFinal
            ? "job \(earlier.id) ended without an answer (\(earlier.state.rawValue))" : "job \(earlier.id) has not ended yet"
    }

    /// What `ModelReply.isComplete` keeps out of the cache, and what is kept for another target.
    private static func unkept(_ earlier: Job) -> String? {
        guard let result = earlier.result else { return nil }
        if result.answeredBy == .fallback {
            return "job \(earlier.id) was answered by the fallback \(result.target), and the answer is kept for that target alone"
        }
        let end = result.reply["finish_reason"]?.string
        guard result.reply["embeddings"] == nil, end != "stop", end != "tool_calls" else { return nil }
        return
            "the answer of job \(earlier.id) was not complete (it ended with \(InvalidText.quoted(end ?? "no reason"))), so it was not kept"
    }

    private static func missed(_ earlier: Job, _ later: Job, _ entry: CacheEntrySummary?) -> String {
        let asked = later.attemptedAt ?? later.createdAt
        if later.result != nil, let end = earlier.finalizedAt, end > asked {
            return "job \(earlier.id) was answered only after job \(later.id) was called for"
        }
        let isOpen = !later.state.isFinal
        guard let entry else { return "the answer is in the cache no more: its time had passed, or it was evicted or deleted" }
        if isOpen { return "job \(later.id) has not ended yet; the cache holds an answer until \(TimeText.format(entry.expiresAt))" }
        if entry.createdAt > asked {
            return "when job \(later.id) was called for, the cache held no answer: its time had passed, or it was evicted or deleted"
        }
        if entry.expiresAt <= asked { return "the cached answer served only until \(TimeText.format(entry.expiresAt))" }
        return "the cache held the answer, and job \(later.id) was \(later.state.rawValue) without it"
    }
}

/// What the cache says of an answer, as JSON.
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
        if withReply { members.append(.init("reply", (try? JSONValue.parse(entry.reply)) ?? .string(entry.reply))) }
        return .object(members)
    }
}
