import Resilience

/// A rate limit of a resource, and where it comes from.
struct RateLimit: Equatable {
    /// Who says so.
    enum Origin: String {
        /// Its owner, in the configuration. Holds only for processes that have it there.
        case configured
        /// The provider, in the headers of its answers.
        case observed
        /// Its refusals.
        case inferred
    }

    var bucket: TokenBucket
    var origin: Origin

    init(_ bucket: TokenBucket, _ origin: Origin) {
        self.bucket = bucket
        self.origin = origin
    }

    /// Reads what ``text`` wrote; nil where it is damaged.
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 5, let capacity = Double(parts[0]), let level = Double(parts[1]), let updatedAt = Int64(parts[2]),
            let origin = Origin(rawValue: String(parts[4]))
        else { return nil }
        bucket = TokenBucket(capacity: capacity, level: level, updatedAt: updatedAt, renewsAtOnce: parts[3] == "1")
        self.origin = origin
    }

    /// As stored.
    var text: String {
        "\(bucket.capacity) \(bucket.level) \(bucket.updatedAt) \(bucket.renewsAtOnce ? 1 : 0) \(origin.rawValue)"
    }
}
