import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// Jobs that share a call.
extension JobRunner {
    /// The most jobs that one transaction settles, and the most numbers of their vectors, about a megabyte: it must be short.
    private static let settleSlice = (jobs: 100, numbers: 100_000)

    private static func endOfSlice(_ attempts: [Attempt], from start: Int) -> Int {
        var end = start
        var numbers = 0
        while end < attempts.count, end == start || (end - start < settleSlice.jobs && numbers < settleSlice.numbers) {
            if case .reply(let reply) = attempts[end].outcome { numbers += reply.embeddings?.reduce(0) { $0 + $1.count } ?? 0 }
            end += 1
        }
        return end
    }

    /// Calls for all of them at once, and settles each by its own outcome.
    func runTogether(_ jobs: [ClaimedJob]) async {
        var open: [ClaimedJob] = []
        for job in jobs.map(routed) {
            if job.isCached {
                if await !settleFromCache(job) { await handBack(job) }
            } else {
                open.append(job)
            }
        }
        guard !open.isEmpty else { return }
        let slots = Set(open.map(\.lease.token)).map { calls?.begin(token: $0) }
        await callForAll(open)
        for slot in slots { calls?.end(slot) }
    }

    /// One call for all of them, and those that come of its failure.
    func callForAll(_ jobs: [ClaimedJob]) async {
        var division = CallDivision(jobs: jobs.count)
        if let failed = await callTogether(jobs, 1) { await callAgain(failed, jobs, &division) }
    }

    /// A call that failed as a whole, and whose jobs are not settled yet.
    private struct FailedCall {
        var jobs: [ClaimedJob]
        var attempts: [Attempt]
        var requests: [SettleRequest]
        var failure: FailureClass
        /// The call's number within the attempt, from 1.
        var number: Int
    }

    /// One call for several jobs. Those that it answered, or that are not wanted any more, are settled.
    /// - Parameter number: the call's number within the attempt, from 1.
    /// - Returns: how it failed, if it did so as a whole.
    private func callTogether(_ jobs: [ClaimedJob], _ number: Int) async -> FailedCall? {
        let (stopped, open) = jobs.partitioned { inFlight.reason(for: $0.lease) != nil }
        for job in stopped { await detach(job) }
        guard !open.isEmpty else { return nil }
        let began = platform_monotonic_ns()
        let answers = await answers(to: open, number)
        let latency = (platform_monotonic_ns() - began) / 1_000_000
        let attempts = zip(open, answers).map { Attempt(outcome: cause(of: $1, $0), latency: latency) }
        // The provider may have made several calls of it: those that it answered are done.
        let (failed, answered) = open.indices.partitioned { place in
            if case .failure = answers[place] { true } else { false }
        }
        let requests = requests(for: open, attempts)
        guard let failure = CallDivision.failure(of: failed.map { answers[$0] }), failed.count > 1 || answered.isEmpty else {
            await settle(requests, attempts)
            return nil
        }
        await settle(answered.map { requests[$0] }, answered.map { attempts[$0] })
        return FailedCall(
            jobs: failed.map { open[$0] }, attempts: failed.map { attempts[$0] }, requests: failed.map { requests[$0] }, failure: failure,
            number: number)
    }

    /// A call has failed as a whole: where one of its jobs may be to blame, it is made again in halves, and so on: one bad input fails
    /// alone.
    /// - Parameters:
    ///   - all: the jobs of the first call, who wait for the calls of others too.
    ///   - serverWorks: whether another call of theirs has been answered since.
    private func callAgain(
        _ failed: FailedCall, _ all: [ClaimedJob], _ division: inout CallDivision, serverWorks: Bool = false
    ) async {
        let attempt = failed.jobs.lazy.map(\.attempt).max() ?? 1
        guard failed.jobs.count > 1, CallDivision.divides(failed.failure, attempt: attempt, isAgain: failed.number > 1, serverWorks) else {
            return await fallBack(failed)
        }
        guard !division.isFutile else {
            // What fails whatever it is sent with may be everyone's fault: the queue tries again, attempt by attempt.
            let requests = failed.jobs.indices.map { place in
                var request = settlement(of: failed.jobs[place], failed.attempts[place].untried)
                // What the call was, and may have cost, stays true.
                request.call = failed.requests[place].call
                return request
            }
            return await settle(requests, failed.attempts)
        }
        logger.info(
            "a call that \(failed.jobs.count) jobs shared failed; calling in halves",
            metadata: ["target": "\(failed.jobs[0].route)", "class": "\(failed.failure.rawValue)"])
        let half = (failed.jobs.count + 1) / 2
        let requests = failed.requests
        let parts = await divide(requests, [Array(failed.jobs[..<half]), Array(failed.jobs[half...])])
        // Those whose lease was lost meanwhile, or whose cancellation was asked for: their part of the call has yet to be recorded.
        let kept = Set(parts.joined().map(\.id))
        let left = failed.jobs.indices.filter { !kept.contains(failed.jobs[$0].id) }
        await settle(left.map { requests[$0] }, left.map { failed.attempts[$0] })
        var failures: [FailedCall] = []
        var serverWorks = false
        for (place, part) in parts.enumerated() where !part.isEmpty {
            for job in all { inFlight.extend(job.lease, to: configuration.deadline(of: job, now: platform_monotonic_ns())) }
            let again = await callTogether(part, failed.number * 2 + place)
            division.note(wasAnswered: again == nil)
            if let again { failures.append(again) } else { serverWorks = true }
        }
        for again in failures { await callAgain(again, all, &division, serverWorks: serverWorks) }
    }

    /// A call has failed for good as far as its target goes: its fallbacks may be asked, by as few calls as that takes.
    private func fallBack(_ failed: FailedCall) async {
        var left: [Int] = []
        var next: [Target: [ClaimedJob]] = [:]
        for place in failed.jobs.indices {
            guard let job = await reroute(failed.jobs[place], failed.attempts[place], failed.requests[place]) else {
                left.append(place)
                continue
            }
            next[job.route, default: []].append(routed(job))
        }
        await settle(left.map { failed.requests[$0] }, left.map { failed.attempts[$0] })
        for jobs in next.values {
            var open: [ClaimedJob] = []
            for job in jobs {
                if job.isCached, await settleFromCache(job) { continue }
                open.append(job)
            }
            guard !open.isEmpty, let again = await callTogether(open, failed.number * 2 + 2) else { continue }
            await settle(again.requests, again.attempts)
        }
    }

    /// The provider's outcomes, one a job.
    private func answers(to jobs: [ClaimedJob], _ number: Int) async -> [Outcome] {
        guard let provider = providers[jobs[0].route.provider] else {
            return jobs.map { .failure(ModelFailure.unsent("this worker has no provider '\($0.route.provider)'")) }
        }
        var requests: [ModelRequest] = []
        var places: [Int] = []
        var outcomes = jobs.map { _ in Outcome.failure(ModelFailure.unsent("the stored request is damaged")) }
        for (place, job) in jobs.enumerated() {
            guard let request = try? request(for: job) else { continue }
            requests.append(request)
            places.append(place)
        }
        guard !requests.isEmpty else { return outcomes }
        let options = CallOptions(
            timeout: jobs.lazy.map { $0.timeout ?? configuration.callTimeout }.min() ?? configuration.callTimeout,
            idempotencyKey: "aq-\(jobs[0].id)-\(jobs[0].lease.token)" + (number == 1 ? "" : "-call\(number)"))
        logger.debug(
            "calling \(jobs[0].route) for \(jobs.count) jobs",
            metadata: ["first": "\(jobs[0].id)", "inputs": "\(jobs.reduce(0) { $0 + $1.inputs })"])
        let (leaving, left) = AsyncStream.makeStream(of: Lease.self)
        func detachThoseWhoLeave() async {
            for await lease in leaving {
                guard let job = jobs.first(where: { $0.lease == lease }) else { continue }
                if inFlight.reason(for: job.lease) == .cancelled { await detach(job) }
            }
        }
        let given = await inFlight.run(
            for: jobs.map(\.lease), onLeave: { left.yield($0) }, meanwhile: detachThoseWhoLeave
        ) { [requests] in
            defer { left.finish() }
            return await provider.respond(to: requests, options)
        }
        for (place, outcome) in zip(places, given) { outcomes[place] = outcome }
        for place in places.dropFirst(given.count) {
            outcomes[place] = .failure(ModelFailure(.invalidReply, "the provider returned too few outcomes"))
        }
        return outcomes
    }

    /// A job that is stopped does not wait for the call that others share. Its part of the answer, when that comes, is kept and charged
    /// for like any that comes too late.
    private func detach(_ job: ClaimedJob) async {
        let attempt = Attempt(outcome: cause(of: .failure(Self.notStarted), job), latency: 0)
        var request = settlement(of: job, attempt)
        request.call = nil
        await settle([request], [attempt])
    }

    // MARK: Settling

    /// How each job's part of a call ended. The first that the provider counted a call for tells of the call.
    private func requests(for jobs: [ClaimedJob], _ attempts: [Attempt]) -> [SettleRequest] {
        let isCaller = attempts.map { attempt in
            switch attempt.outcome {
            case .reply(let reply): reply.calls > 0
            case .failure(let failure): failure.calls > 0
            }
        }
        // What one says whose job was cancelled meanwhile, the fence refuses.
        let isHeard = jobs.map { inFlight.reason(for: $0.lease) == nil }
        let tellers = jobs.indices.filter { isCaller[$0] && isHeard[$0] }
        let standIn = tellers.isEmpty ? jobs.indices.first { isHeard[$0] } ?? 0 : nil
        return zip(jobs, attempts).enumerated().map { place, pair in
            var request = settlement(of: pair.0, pair.1)
            request.call?.isCompanion = standIn.map { $0 != place } ?? !(isCaller[place] && isHeard[place])
            if request.call?.isCompanion == true, !isCaller[place] { request.call?.calls = 0 }
            return request
        }
    }

    func settle(_ jobs: [ClaimedJob], _ attempts: [Attempt]) async { await settle(requests(for: jobs, attempts), attempts) }

    func settle(_ requests: [SettleRequest], _ attempts: [Attempt]) async {
        var requests = requests
        var start = 0
        // Which were found to be refused in company, and are settled alone.
        var aloneUntil = 0
        while start < requests.count {
            let end = start < aloneUntil ? start + 1 : Self.endOfSlice(attempts, from: start)
            let slice = Array(requests[start..<end])
            do {
                let results = try await store.settle(slice)
                for (place, result) in results.enumerated() { tell(slice[place], result, attempts[start + place]) }
                start += slice.count
            } catch {
                if let error = error as? StoreError, error.kind == .conflict || error.kind == .notFound,
                    slice.contains(where: { $0.memories != nil || $0.spaceVectors != nil })
                {
                    if slice.count == 1 { requests[start] = replaced(slice[0], error) } else { aloneUntil = end }
                    continue
                }
                logger.error("jobs could not be settled; trying again", metadata: ["jobs": "\(slice.count)", "error": "\(error)"])
                // As long as the process lives: what was paid for is not thrown away. If it is ended meanwhile, the jobs are rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        for request in requests[start...] { inFlight.remove(request.job.lease) }
    }

    /// The halves, set aside for. Where the store failed, as they are: what was paid for must be tried.
    private func divide(_ requests: [SettleRequest], _ parts: [[ClaimedJob]]) async -> [[ClaimedJob]] {
        do {
            return try await store.divide(requests, into: parts)
        } catch {
            logger.warning("a shared call could not be divided", metadata: ["error": "\(error)"])
            return parts
        }
    }
}

extension Sequence {
    /// Those that fulfil a condition, and the others, each in their order.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> (those: [Element], others: [Element]) {
        var halves: ([Element], [Element]) = ([], [])
        for element in self {
            if condition(element) { halves.0.append(element) } else { halves.1.append(element) }
        }
        return halves
    }
}
