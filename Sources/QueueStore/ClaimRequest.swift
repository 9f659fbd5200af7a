import JobModel

/// What a worker asks for in one round.
public struct ClaimRequest: Sendable {
    /// The worker's number.
    public var worker: Int64
    /// The queues it serves; nil is all.
    public var queues: Set<String>?
    /// The providers it has.
    public var providers: Set<String>
    /// How many jobs it can take.
    public var slots: Int
    /// How long its lease is, in ms.
    public var lease: Int64
    /// Whether nothing runs in its process, so that it may take a job that must run alone.
    public var isIdle: Bool

    /// Makes a request.
    public init(worker: Int64, queues: Set<String>?, providers: Set<String>, slots: Int, lease: Int64, isIdle: Bool) {
        self.worker = worker
        self.queues = queues
        self.providers = providers
        self.slots = slots
        self.lease = lease
        self.isIdle = isIdle
    }

    func serves(queue: String, provider: String) -> Bool {
        providers.contains(provider) && queues?.contains(queue) != false
    }
}
