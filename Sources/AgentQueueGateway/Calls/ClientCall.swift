import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// A request that has been checked, with the jobs that are to be added for it.
struct CheckedRequest: Sendable {
    var submission: GatewaySubmission
    var target: Target
    var policy: CallPolicy
    var streams: Bool
    /// Whether the client asks for the answer later.
    var isBackground = false
    /// What its answer says besides the reply; the job is not known yet.
    var context: ReplyContext
    var dropped: [String]
    var readTimeout: Int64?
    /// The time until which it waits for a closed lane, in ms since 1970.
    var deadline: Int64
}

/// The jobs that a request waits for.
struct JoinedJobs: Sendable {
    /// In the order of its samples.
    var jobs: [Enqueued]
    /// Why they are those of an earlier request; nil if they are new.
    var attached: Attachment?
    /// The id by which the client may ask for the answer later.
    var responseID: String?
    /// What became of the jobs, if they all had ended before.
    var outcomes: [JobOutcome] = []
    /// Which of the call's clients it is; nil for one that only looks.
    var client: Int64?

    /// The job that speaks for all.
    var call: Int64 { jobs.first?.id ?? 0 }
}

extension JoinedJobs {
    init(_ ticket: GatewayTicket) {
        self.init(
            jobs: ticket.jobs, attached: ticket.attached, responseID: ticket.responseID, outcomes: ticket.outcomes, client: ticket.client)
    }
}

/// A request that waits for its jobs: everything that its answer needs except the reply.
struct ClientCall: Sendable {
    let form: RequestForm
    let flavour: APIFlavour
    let requestID: String
    let ticket: JoinedJobs
    /// The pieces of each job's answer, if it is streamed.
    let buffers: [ReplyBuffer]
    let target: Target
    let policy: CallPolicy
    let streams: Bool
    /// Whether the client asks for the answer later.
    let isBackground: Bool
    let context: ReplyContext
    /// The members of the request that were left out, because the target cannot be asked for them.
    let dropped: [String]
    /// How long the client waits for the next byte, in ms; nil if it does not say.
    let readTimeout: Int64?
    let arrivedAt: ContinuousClock.Instant
    /// Until when it waits for a closed lane, in ms since 1970.
    let deadline: Int64
    let signal: CallSignal
    /// What is left of the key's limits.
    var limitHeaders: [(name: String, value: String)] = []

    init(_ request: CheckedRequest, _ ticket: JoinedJobs, _ buffers: [ReplyBuffer], _ head: RequestHead, _ signal: CallSignal) {
        form = request.submission.form
        flavour = head.flavour
        requestID = head.id.description
        self.ticket = ticket
        self.buffers = buffers
        target = request.target
        policy = request.policy
        streams = request.streams
        isBackground = request.isBackground
        var context = request.context
        context.job = ticket.call
        context.responseID = ticket.responseID
        self.context = context
        dropped = request.dropped
        readTimeout = request.readTimeout
        arrivedAt = head.arrivedAt
        deadline = request.deadline
        self.signal = signal
    }

    var jobs: [Int64] { ticket.jobs.map(\.id) }

    /// Whether the answer was there before the request.
    var isHit: Bool { ticket.attached == nil && ticket.jobs.allSatisfy { $0.state == .completed } }

    /// The answer's headers, as far as they are known.
    /// - Parameter outcomes: of the jobs, if they have ended.
    func headers(_ outcomes: [JobOutcome] = []) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [("x-agent-queue-job", "\(ticket.call)")]
        headers.append(("x-agent-queue-target", outcomes.first?.result?.target ?? "\(target)"))
        headers.append(("x-agent-queue-cache", cacheWord(outcomes)))
        if ticket.attached != nil { headers.append(("x-agent-queue-attached", "true")) }
        if !dropped.isEmpty { headers.append(("x-agent-queue-dropped", dropped.joined(separator: ","))) }
        if let first = outcomes.first, let begin = first.attemptedAt {
            headers.append(("x-agent-queue-wait-ms", "\(max(0, begin - first.createdAt))"))
        }
        let costs = outcomes.map { $0.result?.cost }
        if !costs.isEmpty, costs.allSatisfy({ $0 != nil }) {
            headers.append(("x-agent-queue-cost-usd", "\(costs.reduce(0) { $0 + ($1 ?? 0) })"))
        }
        return headers + limitHeaders
    }

    /// What the cache had to do with the answer.
    func cacheWord(_ outcomes: [JobOutcome]) -> String {
        let result = outcomes.first?.result
        switch result?.answeredBy {
        // The answer to a prompt of much the same meaning says so.
        case .cache: return result?.reply["semantic"] == nil ? "hit" : "semantic"
        case .coalesced: return "coalesced"
        case .provider, .fallback, nil: return isHit ? "hit" : policy.usesCache || policy.renewsCache ? "miss" : "off"
        }
    }
}
