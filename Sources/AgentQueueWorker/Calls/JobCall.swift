import AgentQueueModel
import AgentQueueStore

/// A claimed job on its way through the stages of ``JobRunner``: all that is known of its call so far.
struct JobCall: Sendable {
    /// How far it has come.
    enum State: Sendable {
        /// It has yet to be answered.
        case open
        /// Its attempt has ended, and has yet to be settled.
        case ended(Attempt)
        /// It is settled, or another's by now.
        case settled
    }

    /// What it has to do with memories.
    enum Memory: Sendable {
        case none
        /// Its prompt holds memories, or its answer is remembered.
        case used(UsedMemories)
        /// It remembers texts.
        case memorize(MemorizePlan)
    }

    /// The job, with where it goes now, and the key under which its answer is cached.
    var job: ClaimedJob
    var state = State.open
    /// The call's number within the attempt, from 1: fallbacks, and the parts of a call that is divided, are further calls.
    var number = 1
    var memory = Memory.none
    /// Where its prompt lies among earlier ones, to be remembered with its answer.
    var lookup: SemanticLookup?
    /// What was sent.
    var request: ModelRequest?
    /// Whether it was claimed for an answer that the cache held: it has no flight then, and nothing is reserved for a call of its own.
    let isClaimedForCache: Bool

    init(_ job: ClaimedJob, _ memory: Memory = .none) {
        self.job = job
        self.memory = memory
        isClaimedForCache = job.isCached
    }

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// What its prompt holds of memories, if it has to do with any.
    var usedMemories: UsedMemories? {
        if case .used(let used) = memory { used } else { nil }
    }

    /// What it remembers, if it is a job that does.
    var plan: MemorizePlan? {
        if case .memorize(let plan) = memory { plan } else { nil }
    }

    // MARK: Moving on

    /// Its attempt has ended without a call.
    mutating func end(_ failure: ModelFailure) { state = .ended(Attempt(.failure(failure), latency: 0)) }

    /// The next claim takes it up: nothing was called, and the attempt does not count.
    mutating func handBack() {
        var failure = ModelFailure.notStarted
        failure.failure = .shutdown
        end(failure)
    }

    /// Another target is asked.
    mutating func resume(_ job: ClaimedJob) {
        self.job = job
        state = .open
        number += 1
    }

    /// Holds the answer against what was asked for: one that is not that is a failure, which keeps what the answer cost.
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

    /// The answer as it is stored.
    private mutating func checked(_ reply: ModelReply) throws(InvalidAnswer) -> ModelReply {
        switch job.kind {
        case .generate:
            guard let schema = request?.schema, reply.toolCalls == nil else { return reply }
            let text = reply.text ?? ""
            switch StructuredReply(schema).judge(text) {
            case .valid(_, let json):
                var reply = reply
                reply.text = json
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

/// Why an answer is not what was asked for.
struct InvalidAnswer: Error {
    let sentence: String
    /// The answer, where the model is to be shown it again.
    var text: String?
}

/// What one call for a job came to.
struct Attempt: Sendable {
    /// In the provider's own words.
    let answer: Outcome
    /// What that means for the job: the answer, checked, or why there is none.
    var outcome: Outcome
    /// From the call's start to its end, in ms.
    let latency: Int64
    /// Whether the answer came, and is not what was asked for: then the model is told, and no other is asked.
    var isMismatch = false

    /// - Parameter outcome: what the answer means for the job, where that is something else.
    init(_ answer: Outcome, outcome: Outcome? = nil, latency: Int64) {
        self.answer = answer
        self.outcome = outcome ?? answer
        self.latency = latency
    }

    /// Whether the provider answered, whatever that is worth.
    var isAnswered: Bool {
        if case .reply = answer { true } else { false }
    }

    /// As the attempt of a job that was never tried without company: whose fault the failure is has yet to be found.
    var untried: Attempt {
        guard case .failure(var failure) = outcome else { return self }
        failure.failure = .retryable
        var attempt = self
        attempt.outcome = .failure(failure)
        return attempt
    }
}

/// A call whose attempt has ended, with all that is written of that.
struct EndedCall: Sendable {
    let call: JobCall
    let attempt: Attempt
    var request: SettleRequest

    var job: ClaimedJob { request.job }
}

extension ModelFailure {
    /// A call that was stopped before it began.
    static let notStarted: ModelFailure = {
        var failure = ModelFailure(.cancelled, "stopped before it began")
        failure.wasSent = false
        return failure
    }()

    /// The store could not be read or written on the way to a call. None is made, for what is known already would be paid for again: the
    /// job waits, as after any failure that may pass.
    static func notReached(_ what: String, _ error: any Error) -> ModelFailure {
        var failure = ModelFailure(.retryable, "\(what): \(error)")
        failure.wasSent = false
        return failure
    }
}
