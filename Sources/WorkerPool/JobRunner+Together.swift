import CPlatform
import JobModel
import Logging
import ModelCalls
import QueueStore

/// Jobs that share a call.
extension JobRunner {
    /// The most jobs that one transaction settles: it must be short, and their answers can be long.
    private static let settleSlice = 100

    /// Calls for all of them at once, and settles each by its own outcome.
    func runTogether(_ jobs: [ClaimedJob]) async {
        var open: [ClaimedJob] = []
        for job in jobs.map(routed) {
            if job.isCached, await settleFromCache(job) { continue }
            open.append(job)
        }
        guard !open.isEmpty else { return }
        let slots = Set(open.map(\.lease.token)).map { calls?.begin(token: $0) }
        _ = await callTogether(open, 1)
        for slot in slots { calls?.end(slot) }
    }

    /// One call for several jobs; where it fails as a whole by the fault of what one of them asks, two calls for half of them each, and
    /// so on: one bad input fails alone.
    /// - Parameter number: the call's number within the attempt, from 1.
    /// - Returns: how the call failed as a whole; nil where it did not.
    private func callTogether(_ jobs: [ClaimedJob], _ number: Int) async -> FailureClass? {
        let (stopped, open) = jobs.partitioned { inFlight.reason(for: $0.lease) != nil }
        await settle(stopped, stopped.map { Attempt(outcome: cause(of: .failure(Self.notBegun), $0), latency: 0) })
        guard !open.isEmpty else { return nil }
        let began = platform_monotonic_ns()
        let answers = await answers(to: open, number)
        let latency = (platform_monotonic_ns() - began) / 1_000_000
        let isDivided = CallDivision.divides(answers, attempt: open.lazy.map(\.attempt).min() ?? 1)
        let attempts = zip(open, answers).map { Attempt(outcome: cause(of: $1, $0), latency: latency) }
        guard isDivided, case .failure(let failure)? = answers.first else {
            await settle(open, attempts)
            return nil
        }
        logger.info(
            "a call that \(open.count) jobs shared failed; calling in halves",
            metadata: ["target": "\(open[0].route)", "class": "\(failure.failure.rawValue)"])
        let requests = requests(for: open, attempts)
        let half = (open.count + 1) / 2
        let parts = await divide(requests, [Array(open[..<half]), Array(open[half...])])
        // Those whose lease was lost meanwhile, or whose cancellation was asked for.
        let kept = Set(parts.joined().map(\.id))
        let left = open.indices.filter { !kept.contains(open[$0].id) }
        await settle(left.map { open[$0] }, left.map { attempts[$0] }, wasRecorded: true)
        let first = parts[0].isEmpty ? nil : await callTogether(parts[0], number * 2)
        guard !parts[1].isEmpty else { return first }
        if let first, !CallDivision.goesOn(after: first) {
            // The server fails whatever it is sent: the queue will try again.
            await settle(parts[1], parts[1].map { _ in Attempt(outcome: .failure(failure), latency: 0) }, wasRecorded: true)
            return failure.failure
        }
        _ = await callTogether(parts[1], number * 2 + 1)
        return nil
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
        let box = SharedOutcomes()
        let (leaving, left) = AsyncStream.makeStream(of: Lease.self)
        let call = Task { [requests] in
            box.set(await provider.respond(to: requests, options))
            left.finish()
        }
        inFlight.attach(call, to: jobs.map(\.lease)) { left.yield($0) }
        await withTaskCancellationHandler {
            for await lease in leaving {
                guard let job = jobs.first(where: { $0.lease == lease }) else { continue }
                await letGo(job)
            }
            await call.value
        } onCancel: {
            call.cancel()
        }
        for (place, outcome) in zip(places, box.values) { outcomes[place] = outcome }
        for place in places.dropFirst(box.values.count) {
            outcomes[place] = .failure(ModelFailure(.invalidReply, "the provider returned too few outcomes"))
        }
        return outcomes
    }

    /// A job's cancellation does not wait for the call that others share. Its part of the answer, when that comes, is kept and charged
    /// for like any that comes too late.
    private func letGo(_ job: ClaimedJob) async {
        guard inFlight.reason(for: job.lease) == .cancelled else { return }
        let attempt = Attempt(outcome: cause(of: .failure(Self.notBegun), job), latency: 0)
        await settle([job], [attempt], wasRecorded: true)
    }

    // MARK: Settling

    /// How each job's part of a call ended. The first that the provider counted a call for tells of the call.
    private func requests(for jobs: [ClaimedJob], _ attempts: [Attempt]) -> [SettleRequest] {
        let callers = attempts.map { attempt in
            switch attempt.outcome {
            case .reply(let reply): reply.calls > 0
            case .failure(let failure): failure.calls > 0
            }
        }
        let hasCaller = callers.contains(true)
        return zip(jobs, attempts).enumerated().map { place, pair in
            var request = settlement(of: pair.0, pair.1)
            request.call?.isCompanion = hasCaller ? !callers[place] : place > 0
            if request.call?.isCompanion == true { request.call?.calls = 0 }
            return request
        }
    }

    /// - Parameter wasRecorded: whether what the call was is on record already.
    private func settle(_ jobs: [ClaimedJob], _ attempts: [Attempt], wasRecorded: Bool = false) async {
        var requests = requests(for: jobs, attempts)
        if wasRecorded {
            for place in requests.indices { requests[place].call = nil }
        }
        var start = 0
        while start < requests.count {
            let slice = Array(requests[start..<min(start + Self.settleSlice, requests.count)])
            do {
                let results = try await store.settle(slice)
                for (place, result) in results.enumerated() { tell(slice[place], result, attempts[start + place]) }
                start += slice.count
            } catch {
                logger.error("jobs could not be settled; trying again", metadata: ["jobs": "\(slice.count)", "error": "\(error)"])
                // As long as the process lives: what was paid for is not thrown away. If it is ended meanwhile, the jobs are rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        for job in jobs[start...] { inFlight.remove(job.lease) }
    }

    /// The halves, set aside for. Where the store failed, as they are: what was paid for must be tried.
    private func divide(_ requests: [SettleRequest], _ parts: [[ClaimedJob]]) async -> [[ClaimedJob]] {
        do {
            let parts = try await store.divide(requests, into: parts)
            for job in parts.joined() {
                inFlight.extend(job.lease, to: configuration.deadline(of: job, now: platform_monotonic_ns()))
            }
            return parts
        } catch {
            logger.warning("a shared call could not be divided", metadata: ["error": "\(error)"])
            return parts
        }
    }
}

extension Array {
    /// Those that fulfil a condition, and the others, each in their order.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> (those: [Element], others: [Element]) {
        var halves: ([Element], [Element]) = ([], [])
        for element in self {
            if condition(element) { halves.0.append(element) } else { halves.1.append(element) }
        }
        return halves
    }
}
