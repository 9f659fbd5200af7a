import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// The stage that makes the call.
extension JobRunner {
    /// Makes the call of one job.
    func ask(_ call: inout JobCall) async {
        guard call.isOpen else { return }
        var calls = [call]
        await ask(&calls)
        call = calls[0]
    }

    /// Makes one call for open jobs of the same target, and ends their attempts.
    func ask(_ calls: inout [JobCall]) async {
        let began = platform_monotonic_ns()
        let answers = await answers(to: &calls)
        let time = platform_monotonic_ns() - began
        let latency = time / 1_000_000
        if let audience, answers.contains(where: \.wasMade) {
            audience.called(calls[0].job.route, for: calls.map(\.job.id), took: .nanoseconds(time))
        }
        if case .failure(let failure) = answers[0], failure.isOwnShortage { pause(failure) }
        for place in calls.indices {
            let outcome = cause(of: answers[place], calls[place].job)
            if calls.count == 1 { logAnswer(calls[place].job, outcome) }
            calls[place].state = .ended(Attempt(answers[place], outcome: outcome, latency: latency))
        }
    }

    /// Lets no call begin for a while: it would fail like this one.
    private func pause(_ failure: ModelFailure) {
        guard let seconds = inFlight.pause(now: platform_monotonic_ns()) else { return }
        logger.warning(
            "no new calls for \(seconds) s: \(failure.message)",
            metadata: ["calls": .stringConvertible(inFlight.calls), "concurrency": .stringConvertible(configuration.concurrency)])
    }

    /// The provider's outcomes, one for each job. ``InFlight`` stops the call on cancellation, a lost lease, the deadline or shutdown.
    private func answers(to calls: inout [JobCall]) async -> [Outcome] {
        guard let provider = providers[calls[0].job.route.provider] else {
            return calls.map { .failure(ModelFailure.unsent("this worker has no provider '\($0.job.route.provider)'")) }
        }
        var outcomes = Array(
            repeating: Outcome.failure(ModelFailure(.invalidReply, "the provider returned no outcome")), count: calls.count)
        var requests: [ModelRequest] = []
        var places: [Int] = []
        for place in calls.indices {
            do {
                try Self.checkForm(of: calls[place].job, provider)
                let (request, schema) = try request(for: calls[place])
                (calls[place].request, calls[place].schema) = (request, schema)
                requests.append(request)
                places.append(place)
            } catch let failure as ModelFailure {
                outcomes[place] = .failure(failure)
            } catch {
                outcomes[place] = .failure(.notReached("what the last answer did wrong could not be read", error))
            }
        }
        let jobs = calls.map(\.job)
        guard !requests.isEmpty else { return outcomes }
        guard jobs.contains(where: { inFlight.reason(for: $0.lease) == nil }) else { return jobs.map { _ in .failure(.notStarted) } }
        logCall(jobs, requests)
        let given = await respond(to: requests, jobs, number: calls[0].number, provider)
        for (place, outcome) in zip(places, given) { outcomes[place] = outcome }
        if jobs.count > 1 {
            for place in places.dropFirst(given.count) {
                outcomes[place] = .failure(ModelFailure(.invalidReply, "the provider returned too few outcomes"))
            }
        }
        return outcomes
    }

    /// A request that only its own form can express is not asked of a provider that does not speak it.
    private static func checkForm(of job: ClaimedJob, _ provider: any ModelProvider) throws(ModelFailure) {
        guard let native = job.native, native.isRequired, !provider.capabilities.forms.contains(native.form) else { return }
        throw ModelFailure.unsent(
            "the request needs a provider of the \(native.form.rawValue) form, which '\(provider.name)' does not speak")
    }

    private func request(for call: JobCall) throws -> RequestBuilder.CheckedRequest {
        if let plan = call.plan { return (plan.request, nil) }
        return try RequestBuilder(store: store, configuration: configuration).request(for: call.job)
    }

    private func respond(
        to requests: [ModelRequest], _ jobs: [ClaimedJob], number: Int, _ provider: any ModelProvider
    ) async -> [Outcome] {
        var options = CallOptions(
            timeout: jobs.lazy.map { $0.timeout ?? configuration.callTimeout }.min() ?? configuration.callTimeout,
            // A further call sends another request. With the same key, it would get the first one's response.
            idempotencyKey: "aq-\(jobs[0].id)-\(jobs[0].lease.token)" + (number == 1 ? "" : "-call\(number)"))
        guard jobs.count > 1 else {
            let stream = jobs[0].isStreamed ? ReplyStream() : nil
            options.onEvent = listener(of: jobs[0], requests[0], provider, stream)
            func pump() async { await stream?.pump(jobs[0].lease, to: store) }
            return await inFlight.run(for: [jobs[0].lease], meanwhile: pump) { [options] in
                defer { stream?.finish() }
                return await provider.respond(to: requests, options)
            }
        }
        let (leaving, left) = AsyncStream.makeStream(of: Lease.self)
        func detachThoseWhoLeave() async {
            for await lease in leaving {
                guard let job = jobs.first(where: { $0.lease == lease }) else { continue }
                if inFlight.reason(for: job.lease) == .cancelled { await detach(JobCall(job)) }
            }
        }
        @Sendable func leave(_ lease: Lease) { left.yield(lease) }
        return await inFlight.run(for: jobs.map(\.lease), onLeave: leave, meanwhile: detachThoseWhoLeave) { [options] in
            defer { left.finish() }
            return await provider.respond(to: requests, options)
        }
    }

    /// Who hears the pieces of an answer: those in this process who wait for it, and the file for others; nil if nobody does.
    private func listener(
        of job: ClaimedJob, _ request: ModelRequest, _ provider: any ModelProvider, _ stream: ReplyStream?
    ) -> (@Sendable (ReplyEvent) -> Void)? {
        var present: (@Sendable (ReplyEvent) -> Void)?
        // A text that may turn out not to fit its schema is shown only once it is checked.
        if let audience, job.kind == .generate, provider.capabilities.hasStructuredOutput || request.schemaValue == nil {
            present = audience.listener(for: job.id)
        }
        guard let stream else { return present }
        return { [present] event in
            present?(event)
            if case .text(let text) = event { stream.add(text) }
        }
    }

    /// The outcome for a job. If the job was stopped, the failure is replaced by what stopped it. A call that was cancelled without such a
    /// reason was stopped with the worker's own task.
    func cause(of outcome: Outcome, _ job: ClaimedJob) -> Outcome {
        guard case .failure(var failure) = outcome else { return outcome }
        let reason = inFlight.reason(for: job.lease)
        let stopped = reason.flatMap(Self.cause) ?? (failure.failure == .cancelled ? Self.cause(.shutdown) : nil)
        guard let stopped else { return outcome }
        // The call may have cost something, whatever stopped it.
        (failure.failure, failure.message, failure.retryAfter) = (stopped.failure, stopped.message, nil)
        return .failure(failure)
    }

    /// The failure that a reason to stop stands for.
    private static func cause(_ reason: StopReason) -> (failure: FailureClass, message: String)? {
        switch reason {
        case .cancelled: (.cancelled, "cancelled while it ran")
        case .deadline: (.timedOut, "no answer before the deadline")
        case .shutdown: (.shutdown, "the worker stopped")
        case .lostLease: nil
        }
    }

    // MARK: Logging

    /// Logs a call: names of parameters and sizes, but no content.
    private func logCall(_ jobs: [ClaimedJob], _ requests: [ModelRequest]) {
        let job = jobs[0]
        guard jobs.count == 1, let request = requests.first else {
            return logger.debug(
                "calling \(job.route) for \(jobs.count) jobs",
                metadata: ["first": .stringConvertible(job.id), "inputs": .stringConvertible(jobs.reduce(0) { $0 + $1.inputs })])
        }
        logger.debug(
            "job \(job.id): calling \(job.route)",
            metadata: [
                "attempt": .stringConvertible(job.attempt), "kind": "\(job.kind.rawValue)",
                "bytes": .stringConvertible(job.body.utf8.count),
                "messages": .stringConvertible(request.body["messages"]?.array?.count ?? 0),
                "parameters": "\((request.body.members ?? []).map(\.key).sorted().joined(separator: ","))",
                "timeout_ms": .stringConvertible(job.timeout ?? configuration.callTimeout), "probe": .stringConvertible(job.isProbe),
                "streamed": .stringConvertible(job.isStreamed),
            ])
    }

    private func logAnswer(_ job: ClaimedJob, _ outcome: Outcome) {
        switch outcome {
        case .reply(let reply):
            logger.debug(
                "job \(job.id): \(job.route) answered",
                metadata: [
                    "request_id": "\(reply.requestID ?? "-")", "finish_reason": "\(reply.finishReason ?? "-")",
                    "calls": .stringConvertible(reply.calls),
                    "input_tokens": .stringConvertible(reply.usage.inputTokens),
                    "output_tokens": .stringConvertible(reply.usage.outputTokens),
                ])
        case .failure(let failure):
            logger.debug(
                "job \(job.id): \(job.route) failed",
                metadata: [
                    "request_id": "\(failure.requestID ?? "-")", "class": "\(failure.failure.rawValue)",
                    "retry_after_ms": "\(failure.retryAfter.map(String.init) ?? "-")",
                    "maybe_paid": .stringConvertible(failure.isMaybePaid),
                ])
        }
    }
}

extension Outcome {
    /// Whether anything was sent to the provider.
    fileprivate var wasMade: Bool {
        switch self {
        case .reply: true
        case .failure(let failure): failure.wasSent
        }
    }
}
