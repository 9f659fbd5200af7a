import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Checks the gateway's keys and says whether its calls use the cache.
package enum GatewayCheck {
    /// None if the gateway was never used.
    package static func findings(_ store: QueueStore, _ settings: Settings, now: Int64) throws -> [Finding] {
        var findings: [Finding] = []
        let file = LocalKey(database: settings.database)
        var text: String?
        do throws(InputError) { text = try file.read() } catch {
            findings.append(.fault("gateway", error.message, error.kind == .permission ? .noPermission : .badInput))
        }
        let keys = try store.keys.list()
        if let id = text.flatMap({ KeyText($0)?.id }), !keys.contains(where: { $0.id == id && $0.isValid(at: now) }) {
            findings.append(.note("gateway", "the key in \(file.path) is no longer valid; 'agent-queue keys create' makes another"))
        }
        guard !keys.isEmpty || text != nil else { return findings }
        let valid = keys.filter { $0.isValid(at: now) }
        let cache =
            settings.serve.cache
            ? "its calls are answered from the cache (serve.cache: on)"
            : "its calls are not answered from the cache, except where a key or a request asks for it (serve.cache: off)"
        findings.append(.good("gateway", "\(Figures.count(valid.count, "valid key")); \(cache)"))
        for key in valid {
            guard let expiry = key.expiresAt, expiry - now < expiryNews else { continue }
            findings.append(.note("gateway", "key '\(key.name)' expires \(Figures.relative(expiry, now: now))"))
        }
        return findings
    }

    /// How long before a key's end it is worth a word, in ms.
    private static let expiryNews: Int64 = 7 * 86_400_000
}
