import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// Which jobs a key may see and change: those of its queues, or all.
extension Caller {
    /// Whether its scopes include another: who may see all jobs may see its own.
    func allows(_ scope: KeyScope) -> Bool { scopes.contains(scope) || (scope == .read && scopes.contains(.readAll)) }

    var seesAll: Bool { scopes.contains(.readAll) }

    /// The queues of its jobs.
    var queues: [String] { [queue, queue + ".batch"] }

    /// Whether it may see the jobs of a queue.
    func sees(queue: String) -> Bool { seesAll || queues.contains(queue) }

    /// Whether it may ask for a target. An invalid pattern allows nothing.
    func mayUse(_ target: Target) -> Bool {
        targets?.contains { (try? NamePattern($0))?.matches(target.description) == true } ?? true
    }
}

extension RequestHead {
    /// A member of the query; nil if it is not there.
    func asked(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// All members of the query with a name.
    func allAsked(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

    /// A whole number in the query, in bounds.
    /// - Throws: `GatewayError`.
    func number(_ name: String, in bounds: ClosedRange<Int64>) throws(GatewayError) -> Int64? {
        guard let text = asked(name) else { return nil }
        guard let number = Int64(text), bounds.contains(number) else {
            let range = bounds.upperBound == .max ? "\(bounds.lowerBound) or more" : "\(bounds.lowerBound) to \(bounds.upperBound)"
            throw GatewayError(.malformed, "\(name) must be \(range).", param: name)
        }
        return number
    }
}
