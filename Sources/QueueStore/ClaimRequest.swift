import JobModel
import ModelCalls

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
    /// What the configuration says about calling providers.
    public var policies: CallPolicies
    /// What one call may hold of jobs that can share it, by provider; those of others have calls of their own.
    public var capacities: [String: CallCapacity] = [:]
    /// What the calls hold already that wait for company in this process, by lane.
    public var openCalls: [Int64: OpenCall] = [:]
    /// What one batch of a provider may hold, by provider's name: jobs that wait for a batch of another run as any job.
    public var batchCapacities: [String: BatchCapacity] = [:]

    /// Makes a request; without limits, unless told.
    public init(
        worker: Int64, queues: Set<String>?, providers: Set<String>, slots: Int, lease: Int64, isIdle: Bool,
        policies: CallPolicies = CallPolicies()
    ) {
        self.worker = worker
        self.queues = queues
        self.providers = providers
        self.slots = slots
        self.lease = lease
        self.isIdle = isIdle
        self.policies = policies
    }

    /// Whether a lane's jobs can be called for: by their own target's provider, or by one that serves in its place.
    func serves(queue: String, provider: String, target: String, kind: String) -> Bool {
        guard queues?.contains(queue) != false else { return false }
        return policies.hasRoute(of: target, provider: provider, kind: kind, among: providers)
    }
}
