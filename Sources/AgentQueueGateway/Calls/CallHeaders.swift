import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings

/// What the headers of a request say about its call, checked.
struct CallHeaders: Sendable, Equatable {
    /// What a request wants of the cache.
    enum CacheWish: Sendable, Equatable {
        /// What the key or the configuration says.
        case usual
        /// An answer of the cache that is at most this old, in ms; a new one is kept for as long.
        case use(maxAge: Int64)
        /// A new answer, which is kept for this long, in ms; nil is as long as the configuration says.
        case renew(timeToLive: Int64?)
        /// A new answer, which is not kept either.
        case off
    }

    var idempotencyKey: String?
    var cache = CacheWish.usual
    var priority: Int?
    /// How long to wait for a closed lane, in ms.
    var maxWait: Int64?
    var onDisconnect: DisconnectPolicy?
    var sample: Int?
    var tags: [String] = []
    /// Whether members that the target does not support are left out instead of refused.
    var dropsUnsupported: Bool?
    /// How often the client's SDK has sent this request before.
    var retryCount = 0
    /// How long the client waits for the next byte, in ms.
    var readTimeout: Int64?
    var version: String?
    var betas: [String] = []
    /// The client's trace (`traceparent`).
    var trace: String?

    init() {}

    /// - Parameter header: returns the value of a header by its lower-case name; several of a name are joined with commas.
    /// - Throws: `RequestError` that names the header.
    init(_ header: (String) -> String?) throws(RequestError) {
        if let key = header("idempotency-key") {
            guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Self.refused("Idempotency-Key", "1 to 255 printable ASCII characters without blanks")
            }
            idempotencyKey = key
        }
        if let text = header("cache-control") { cache = Self.cacheWish(text) }
        if let text = header("x-agent-queue-priority") {
            guard let number = Int(text), JobLimits.priorities.contains(number) else {
                throw Self.refused("x-agent-queue-priority", "a whole number from 1 (first) to 9")
            }
            priority = number
        }
        if let text = header("x-agent-queue-max-wait") {
            guard let wait = try? DurationText.parse(text), (Duration.zero ... .hours(24)).contains(wait) else {
                throw Self.refused("x-agent-queue-max-wait", "a time such as 30s or 10m, at most 24h")
            }
            maxWait = wait.milliseconds
        }
        if let text = header("x-agent-queue-on-disconnect") {
            guard let choice = DisconnectPolicy(rawValue: text) else {
                throw Self.refused("x-agent-queue-on-disconnect", "auto, finish or cancel")
            }
            onDisconnect = choice
        }
        if let text = header("x-agent-queue-sample") {
            guard let number = Int(text), JobLimits.samples.contains(number) else {
                throw Self.refused("x-agent-queue-sample", "a whole number from 0 to \(JobLimits.samples.upperBound)")
            }
            sample = number
        }
        if let text = header("x-agent-queue-tags") { tags = try Self.tags(text) }
        if let text = header("x-agent-queue-unsupported") {
            guard ["refuse", "drop"].contains(text) else { throw Self.refused("x-agent-queue-unsupported", "refuse or drop") }
            dropsUnsupported = text == "drop"
        }
        retryCount = header("x-stainless-retry-count").flatMap { Int($0) } ?? 0
        readTimeout = ["x-stainless-read-timeout", "x-stainless-timeout"].compactMap { Self.seconds(header($0)) }.min()
        version = header("anthropic-version")
        betas = Self.list(header("anthropic-beta"))
        trace = header("traceparent").flatMap { $0.utf8.count <= 128 ? $0 : nil }
    }

    private static func refused(_ name: String, _ wanted: String) -> RequestError {
        RequestError("the header \(name) must be \(wanted)", param: name)
    }

    /// Directives that mean nothing here are ignored, as HTTP wants.
    private static func cacheWish(_ text: String) -> CacheWish {
        let directives = list(text.lowercased())
        if directives.contains("no-store") { return .off }
        let ages = directives.lazy.filter { $0.hasPrefix("max-age=") }.compactMap { Int64($0.dropFirst(8)) }.filter { $0 >= 0 }
        let age = ages.min().map { min($0, JobLimits.cacheTTLs.upperBound.milliseconds / 1_000) * 1_000 }
        if directives.contains("no-cache") || age == 0 { return .renew(timeToLive: age == 0 ? nil : age) }
        return age.map { .use(maxAge: $0) } ?? .usual
    }

    private static func tags(_ text: String) throws(RequestError) -> [String] {
        let tags = list(text)
        guard tags.count <= JobLimits.maxTags, tags.allSatisfy({ $0.utf8.count <= JobLimits.maxNameBytes }) else {
            throw refused(
                "x-agent-queue-tags", "at most \(JobLimits.maxTags) tags of at most \(JobLimits.maxNameBytes) bytes, separated by commas")
        }
        return tags
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.trimmingBlanks() }.filter { !$0.isEmpty }
    }

    /// SDKs write whole or broken numbers of seconds, and some write `NOT_GIVEN` or `None`.
    private static func seconds(_ text: String?) -> Int64? {
        guard let text, let seconds = Double(text), seconds.isFinite, seconds > 0 else { return nil }
        return Int64(min(seconds, 86_400) * 1_000)
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let start = firstIndex(where: { !isBlank($0) }), let end = lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(self[start...end])
    }
}
