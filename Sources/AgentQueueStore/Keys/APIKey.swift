import AgentQueueModel
import Crypto

/// What a key allows.
package enum KeyScope: String, Sendable, CaseIterable {
    /// Calls, and the answers to them.
    case call
    /// Batches and files.
    case batch
    /// To see the jobs that it has sent itself.
    case read
    /// To see all jobs.
    case readAll = "read:all"
    /// To cancel, retry, pause and resume.
    case operate
    /// Tools for agents.
    case mcp
    case metrics
    /// Keys, and the record of what was done.
    case admin
}

/// A key that opens the gateway. Its secret is known to its owner alone.
package struct APIKey: Sendable, Equatable {
    package var id: Int64
    package var name: String
    /// SHA-256 of the secret.
    package var hash: [UInt8]
    package var scopes: Set<KeyScope>
    /// The targets that it may use, as globs; nil for all.
    package var targets: [String]?
    /// Where its jobs go.
    package var queue: String
    /// Whether its calls use the cache; nil for what the configuration says.
    package var cache: Bool?
    package var onDisconnect: DisconnectPolicy?
    /// The most urgent priority that it may ask for, 1 to 9; nil for any.
    package var bestPriority: Int?
    package var limits = KeyLimits()
    /// Wall clock, in milliseconds, as are the other times.
    package var createdAt: Int64
    package var expiresAt: Int64?
    /// When it was last used, to the minute.
    package var lastUsedAt: Int64?
    package var revokedAt: Int64?

    /// Whether it opens anything at a time.
    package func isValid(at now: Int64) -> Bool { revokedAt == nil && expiresAt.map { $0 > now } ?? true }

    /// Whether a secret is this key's. It takes the same time wherever the two differ.
    package func accepts(secret: [UInt8]) -> Bool {
        let given = Self.hash(of: secret)
        return given.count == hash.count && zip(given, hash).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    static func hash(of secret: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: secret)) }

    /// Whether a text can be the name of a key: 1 to 40 of `a` to `z`, `0` to `9` and `-`.
    package static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || isDigitOrHyphen($0) }
    }

    private static func isDigitOrHyphen(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The queue of a key's jobs, unless it has another.
    package static func queue(of name: String) -> String { "api.\(name)" }

    /// Where the batches of a key go whose other jobs go to a queue.
    static func batchQueue(_ queue: String) -> String { queue + ".batch" }

    /// The name that a queue is called after; nil if it is called after no key.
    static func name(ofQueue queue: String) -> String? {
        guard queue.hasPrefix("api.") else { return nil }
        let name = queue.dropFirst(4)
        return String(name.hasSuffix(".batch") ? name.dropLast(6) : name)
    }
}

/// A key to be made.
package struct NewAPIKey: Sendable {
    package var name: String
    package var scopes: Set<KeyScope>
    /// The targets that it may use, as globs; nil for all.
    package var targets: [String]?
    /// Where its jobs go.
    package var queue: String
    /// Whether its calls use the cache; nil for what the configuration says.
    package var cache: Bool?
    package var onDisconnect: DisconnectPolicy?
    /// The most urgent priority that it may ask for, 1 to 9; nil for any.
    package var bestPriority: Int?
    package var limits = KeyLimits()
    /// Wall clock, in milliseconds; nil for never.
    package var expiresAt: Int64?

    package init(name: String, scopes: Set<KeyScope> = [.call, .batch, .read]) {
        self.name = name
        self.scopes = scopes
        queue = APIKey.queue(of: name)
    }
}
