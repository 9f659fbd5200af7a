import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import HTTPTypes

/// Answers that are sent whole.
extension CallHandler {
    /// When spaces are sent to keep a connection open while its client waits for an answer that is not streamed.
    struct Padding {
        /// The wait before the first space. From then on the status can no longer change.
        var patience: Duration
        var interval: Duration

        /// - Parameter readTimeout: how long the client waits for the next byte, in ms; nil if it does not say.
        init(readTimeout: Int64?) {
            let timeout = readTimeout.map { Duration.milliseconds($0) }
            patience = min(.seconds(45), timeout.map { $0 / 2 } ?? .seconds(45))
            interval = min(.seconds(15), timeout.map { $0 / 4 } ?? .seconds(15))
        }
    }

    /// Waits for the jobs and sends the answer whole.
    func answer(_ call: ClientCall, _ exchange: Exchange) async throws {
        let padding = Padding(readTimeout: call.readTimeout)
        var nextPad = call.arrivedAt + padding.patience
        var lane = LaneWatch(store, policies, deadline: call.deadline)
        var hasClosedInput = false
        while !hasEnded(call) {
            try checkPresence(exchange)
            if exchange.presence.departure == .closedInput, !hasClosedInput {
                // The client may have gone, or closed only its side. Whoever asks again gets this answer; so does the client, if it still reads.
                hasClosedInput = true
                if let client = broker.waiters.onlyClient(of: call.ticket.call) {
                    departures.left(call.ticket.call, client: client, call.policy.onDisconnect, isStreamed: false)
                }
            }
            let now = ContinuousClock.now
            if let refusal = try lane.refusal(of: call.ticket.call, now: now), try await giveUp(call) {
                return try await refuse(call, refusal, [], exchange)
            }
            if now >= nextPad {
                if !exchange.response.hasBegun { try await exchange.response.begin(200, Self.json(call.headers())) }
                try await exchange.response.write([UInt8(ascii: " ")])
                nextPad = ContinuousClock.now + padding.interval
            }
            await call.signal.wait(until: [nextPad, lane.nextLook].compactMap(\.self).min())
        }
        let outcomes = try outcomes(of: call)
        note(outcomes, call, exchange)
        let answers: [Answer]
        do throws(GatewayError) {
            answers = try self.answers(outcomes, call, lane)
        } catch {
            return try await refuse(call, error, outcomes, exchange)
        }
        var context = call.context
        context.created = outcomes.first?.madeAt ?? context.created
        let body = ReplyRenderer.body(of: answers, form: call.form, context: context)
        if exchange.response.hasBegun {
            try await exchange.response.write(body)
            try await exchange.response.finish()
        } else {
            try await exchange.response.send(200, Self.json(call.headers(outcomes)), body: body)
        }
    }

    static func json(_ headers: [(name: String, value: String)]) -> HTTPFields {
        HTTPFields([("content-type", "application/json")] + headers)
    }

    func hasEnded(_ call: ClientCall) -> Bool { call.jobs.allSatisfy { broker.waiters.end(of: $0) != nil } }

    /// - Throws: ``ClientLeft``, ``Interrupted``.
    func checkPresence(_ exchange: Exchange) throws {
        if Task.isCancelled { throw Interrupted() }
        switch exchange.presence.departure {
        case .disconnected: throw ClientLeft()
        case .stopped: throw Interrupted()
        case .closedInput, nil: return
        }
    }

    /// What became of the call's jobs, which have ended.
    func outcomes(of call: ClientCall) throws -> [JobOutcome] {
        guard call.ticket.outcomes.isEmpty else { return call.ticket.outcomes }
        let found: [Int64: JobOutcome]
        do { found = try store.gateway.outcomes(of: call.jobs) } catch let error as StoreError { throw GatewayError(error) }
        return try call.jobs.map { job in
            guard let outcome = found[job] else { throw GatewayError(.notFound, "Job \(job) was removed before its answer was read.") }
            return outcome
        }
    }

    /// The answers of ended jobs.
    /// - Throws: `GatewayError` if one has none.
    func answers(_ outcomes: [JobOutcome], _ call: ClientCall, _ lane: LaneWatch) throws(GatewayError) -> [Answer] {
        var answers: [Answer] = []
        for outcome in outcomes {
            if outcome.error?.failure == .expired, outcome.state != .completed {
                // Why it waited until it expired says more than the fact. If the reason cannot be read, the general sentence has to do.
                throw (try? lane.timeout(of: call.ticket.call)) ?? GatewayError(.overloaded, "The request waited as long as it may.")
            }
            answers.append(try outcome.answer())
        }
        return answers
    }

    /// Ends a job that waits for a lane which opens too late, unless another client is more patient.
    /// - Returns: false if its call has begun after all, and is to be waited for.
    func giveUp(_ call: ClientCall) async throws -> Bool {
        guard let client = broker.waiters.onlyClient(of: call.ticket.call) else { return true }
        return try await store.gateway.giveUp(call.ticket.call, client: client, server: server)
    }

    /// Sends an error, or cuts an answer that has begun.
    func refuse(_ call: ClientCall, _ error: GatewayError, _ outcomes: [JobOutcome], _ exchange: Exchange) async throws {
        guard !exchange.response.hasBegun else { throw FailedAfterHead() }
        try await exchange.response.send(
            error.status(call.flavour), Self.json(error.headers + call.headers(outcomes)),
            body: error.body(call.flavour, requestID: call.requestID))
    }

    func note(_ outcomes: [JobOutcome], _ call: ClientCall, _ exchange: Exchange) {
        exchange.notes.update { notes in
            notes.cache = call.cacheWord(outcomes)
            notes.target = outcomes.first?.result?.target ?? notes.target
            if let first = outcomes.first, let begin = first.attemptedAt { notes.wait = .milliseconds(max(0, begin - first.createdAt)) }
            notes.call = callTime(of: outcomes, call)
        }
    }

    /// How long the calls took that were made for a request, as far as the answer waited for them; nil if there were none.
    private func callTime(of outcomes: [JobOutcome], _ call: ClientCall) -> Duration? {
        guard call.ticket.attached == nil else { return nil }
        return zip(call.jobs, outcomes).compactMap { job, outcome -> Duration? in
            guard let result = outcome.result, [.provider, .fallback].contains(result.answeredBy) else { return nil }
            return broker.waiters.callTime(of: job) ?? .milliseconds(result.latency)
        }.max()
    }
}
