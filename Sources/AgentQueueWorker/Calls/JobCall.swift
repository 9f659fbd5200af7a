import AgentQueueModel
import AgentQueueStore

/// The state of a claimed job on its way through the stages of ``JobRunner``.
struct JobCall: Sendable {
    /// How far the job has come. Indirect, so that the call stays small: every stage, and the frame of every call under way, holds one.
    indirect enum State: Sendable {
        /// There is no answer yet.
        case open
        /// The attempt has ended and is to be settled.
        case ended(Attempt)
        /// The attempt is settled.
        case settled
    }

    /// How the job uses memories.
    indirect enum Memory: Sendable {
        case none
        /// Its prompt contains memories, or its answer is remembered.
        case used(UsedMemories)
        /// It remembers texts.
        case memorize(MemorizePlan)
    }

    /// The job, with its current target and cache key.
    var job: ClaimedJob
    var state = State.open
    /// The number of the call within the attempt, from 1. Fallbacks and the halves of a divided call are further calls.
    var number = 1
    var memory = Memory.none
    /// The result of the search for similar prompts. Its vector is stored with the answer.
    var lookup: SemanticLookup?
    /// The request as it was sent.
    var request: ModelRequest?
    /// The schema that its answer must fit.
    var schema: JSONSchema?
    /// Whether the claim found an answer in the cache. Then the job has no flight, and nothing is reserved for a call.
    let isClaimedForCache: Bool

    init(_ job: ClaimedJob, _ memory: Memory = .none) {
        self.job = job
        self.memory = memory
        isClaimedForCache = job.isCached
    }

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// How its prompt and answer use memories, if they do.
    var usedMemories: UsedMemories? {
        if case .used(let used) = memory { used } else { nil }
    }

    /// The request with memories in its prompt; nil if it is the job's own.
    var sentBody: String? {
        guard let used = usedMemories, !used.recalled.isEmpty else { return nil }
        return job.body
    }

    /// The progress of a `memorize` job.
    var plan: MemorizePlan? {
        if case .memorize(let plan) = memory { plan } else { nil }
    }

    // MARK: Transitions

    /// Ends the attempt without a call.
    mutating func end(_ failure: ModelFailure) { state = .ended(Attempt(.failure(failure), latency: 0)) }

    /// Ends the attempt so that the job is available again and the attempt does not count.
    mutating func handBack() {
        var failure = ModelFailure.notStarted
        failure.failure = .shutdown
        end(failure)
    }

    /// Continues with another target.
    mutating func resume(_ job: ClaimedJob) {
        self.job = job
        state = .open
        number += 1
    }

    /// Checks the answer against the request. An invalid answer becomes a failure that keeps the cost.
    mutating func check() {
        guard case .ended(var attempt) = state, case .reply(let reply) = attempt.outcome else { return }
        do {
            attempt.outcome = .reply(try checked(reply))
        } catch {
            attempt.isMismatch = true
            attempt.outcome = .failure(
                ModelFailure(
                    .invalidReply, error.sentence, requestID: reply.requestID, usage: reply.usage, cost: reply.cost,
                    calls: max(1, reply.calls), partialText: error.text, limits: reply.limits))
        }
        state = .ended(attempt)
    }

    /// The answer to store, if it is valid.
    private mutating func checked(_ reply: ModelReply) throws(InvalidAnswer) -> ModelReply {
        switch job.kind {
        case .generate:
            guard let schema, reply.toolCalls == nil else { return reply }
            let text = reply.text ?? ""
            switch StructuredReply(schema).judge(text) {
            case .valid(let value):
                guard !value.hasMore else { return reply }
                var reply = reply
                reply.text = value.text
                // What the provider wrote has more in it than the value.
                reply.native = nil
                return reply
            case .invalid(let sentence):
                throw InvalidAnswer(sentence: sentence, text: text)
            }
        case .embed, .memorize:
            if var plan {
                try plan.take(reply.embeddings ?? [])
                memory = .memorize(plan)
                return reply
            }
            let count = reply.embeddings?.count ?? 0
            guard count == job.inputs else { throw InvalidAnswer(sentence: "answered with \(count) embeddings, not \(job.inputs)") }
            return reply
        }
    }
}

/// Why an answer is invalid.
struct InvalidAnswer: Error {
    let sentence: String
    /// The answer, if the model is to see it in the next attempt.
    var text: String?
}

/// The outcome of one call for a job.
struct Attempt: Sendable {
    /// The outcome as the provider returned it.
    let answer: Outcome
    /// The outcome for the job: the checked answer, or the cause of the failure.
    var outcome: Outcome
    /// From the call's start to its end, in ms.
    let latency: Int64
    /// Whether there was an answer, and it was invalid. Then the next attempt tells the model, and no fallback is asked.
    var isMismatch = false

    /// - Parameter outcome: the outcome for the job, if it differs.
    init(_ answer: Outcome, outcome: Outcome? = nil, latency: Int64) {
        self.answer = answer
        self.outcome = outcome ?? answer
        self.latency = latency
    }

    /// Whether the provider answered, validly or not.
    var isAnswered: Bool {
        if case .reply = answer { true } else { false }
    }

    /// The attempt as a temporary failure: in a shared call, it is unknown which job caused it.
    var untried: Attempt {
        guard case .failure(var failure) = outcome else { return self }
        failure.failure = .retryable
        var attempt = self
        attempt.outcome = .failure(failure)
        return attempt
    }
}

/// An ended attempt, with everything its settlement writes.
struct EndedCall: Sendable {
    let call: JobCall
    let attempt: Attempt
    var request: SettleRequest

    var job: ClaimedJob { request.job }
}

extension ModelFailure {
    /// A call that was stopped before it started.
    static let notStarted: ModelFailure = {
        var failure = ModelFailure(.cancelled, "stopped before it began")
        failure.wasSent = false
        return failure
    }()

    /// A failure of the store on the way to a call. The call is not made, since it might pay for an answer that the store has. The job is
    /// retried, as after any temporary failure.
    static func notReached(_ what: String, _ error: any Error) -> ModelFailure {
        var failure = ModelFailure(.retryable, "\(what): \(error)")
        failure.wasSent = false
        return failure
    }
}
