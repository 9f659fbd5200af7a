import JobModel
import ModelCalls

/// Reads Anthropic's descriptions of batches (protocols.md 2.7).
enum AnthropicBatch {
    /// A description in our words; nil where it is none.
    /// - Parameters:
    ///   - results: the address of a batch's results, out of what the server says of it and the batch's name.
    ///   - now: wall clock, ms.
    static func read(_ body: JSONValue, now: Int64, results: (String?, String) -> String) -> RemoteBatch? {
        guard let id = RemoteID.read(body["id"]), let status = body["processing_status"]?.string else { return nil }
        // Their sum is always the whole.
        let counts = body["request_counts"]?.members?.compactMap { $0.value.int }.filter { (0...1_000_000).contains($0) } ?? []
        let count = counts.reduce(0, +)
        return RemoteBatch(
            id: id, status: status == "ended" ? .ended : .inProgress, count: count > 0 ? count : nil,
            createdAt: time(body["created_at"]) ?? now, expiresAt: time(body["expires_at"]),
            sources: status == "ended" ? [results(body["results_url"]?.string, id)] : [])
    }

    private static func time(_ value: JSONValue?) -> Int64? { value?.string.flatMap { Timestamp.rfc3339($0) } }
}
