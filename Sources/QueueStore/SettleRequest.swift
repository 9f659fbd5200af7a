import JobModel

/// How a claim ends: everything that one transaction writes.
public struct SettleRequest: Sendable {
    /// The claimed job.
    public var job: ClaimedJob
    /// What becomes of it.
    public var settlement: Settlement
    /// The answer, where there is one.
    public var result: JobResult?
    /// The failure, where there is one.
    public var error: JobError?
    /// What to keep of the answer.
    public var cache: CacheWrite?
    /// What was called, where anything was: nil gives back what was set aside for the call.
    public var call: CallReport?
    /// What the configuration says about calling providers.
    public var policies: CallPolicies
    /// What it remembers if it completes; its result then tells what became of that.
    public var memories: MemoryWrite?
    /// What memories get from it if it completes: vectors of another model than before.
    public var spaceVectors: SpaceVectors?
    /// Jobs that are added if it ends as ``settlement`` says; the result of one that completes names them.
    public var next: [NewJob] = []
    /// What its run does next, if it ends as ``settlement`` says: decided from the run as it was, and void if that has changed.
    public var advance: RunAdvance?
    /// What its result says besides the reply: members that the cache does not keep.
    public var notes: [JSONValue.Member] = []
    /// Answers that are kept only if the fence refuses the settlement: else they are remembered, and need not be.
    public var rescued: [CacheableAnswer] = []

    /// Makes a request.
    public init(
        job: ClaimedJob, settlement: Settlement, result: JobResult? = nil, error: JobError? = nil, cache: CacheWrite? = nil,
        call: CallReport? = nil, policies: CallPolicies = CallPolicies()
    ) {
        self.job = job
        self.settlement = settlement
        self.result = result
        self.error = error
        self.cache = cache
        self.call = call
        self.policies = policies
    }
}
