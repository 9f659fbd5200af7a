import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// The state of jobs that share a call, and of the further calls that are made if it fails as a whole.
struct SharedCall: Sendable {
    /// The jobs of the first call. Each may have to wait for the further calls of others.
    let calls: [JobCall]
    var division: CallDivision
    /// The vectors that calls returned, by the cache key of the text. Equal texts are embedded once.
    var learned: [[UInt8]: MemoryVector] = [:]

    init(_ calls: [JobCall]) {
        self.calls = calls
        division = CallDivision(jobs: calls.count)
    }

    mutating func learn(from call: JobCall) {
        guard let plan = call.plan else { return }
        for place in plan.brought { learned[plan.digests[place]] = plan.vectors[place] }
    }
}

/// A call that failed as a whole. Its jobs are not settled yet.
private struct FailedCall {
    var ended: [EndedCall]
    var failure: FailureClass
    /// The number of the call within the attempt, from 1.
    var number: Int
}

/// Jobs that share a call. They go through the stages of a single job together.
extension JobRunner {
    /// Runs jobs with one call, and settles each by its own outcome.
    func runTogether(_ jobs: [ClaimedJob]) async {
        var open: [JobCall] = []
        for job in jobs {
            var call = JobCall(job)
            await route(&call)
            await fromCache(&call)
            await settle(&call)
            if call.isOpen { open.append(call) }
        }
        guard !open.isEmpty else { return }
        let slots = Set(open.map(\.job.lease.token)).map { calls?.begin(token: $0) }
        var shared = SharedCall(open)
        await callForAll(&shared)
        for slot in slots { calls?.end(slot) }
    }

    /// Makes the shared call, and further calls if it fails.
    func callForAll(_ shared: inout SharedCall) async {
        if let failed = await callTogether(shared.calls, number: 1, &shared) { await callAgain(failed, &shared) }
    }

    /// Makes one call, and settles the jobs that it answered or that were stopped.
    /// - Parameter number: the number of the call within the attempt, from 1.
    /// - Returns: the failure, if the call failed as a whole.
    private func callTogether(_ calls: [JobCall], number: Int, _ shared: inout SharedCall) async -> FailedCall? {
        var (stopped, open) = calls.partitioned { inFlight.reason(for: $0.job.lease) != nil }
        for call in stopped { await detach(call) }
        guard !open.isEmpty else { return nil }
        for place in open.indices {
            open[place].number = number
            open[place].state = .open
        }
        await ask(&open)
        for place in open.indices {
            open[place].check()
            shared.learn(from: open[place])
        }
        let ended = end(open)
        // The provider may have split the call into several. The jobs that it answered are done.
        let (answered, failed) = ended.partitioned(by: \.attempt.isAnswered)
        guard let failure = CallDivision.failure(of: failed.map(\.attempt.answer)), failed.count > 1 || answered.isEmpty else {
            await settle(ended)
            return nil
        }
        await settle(answered)
        return FailedCall(ended: failed, failure: failure, number: number)
    }

    /// Repeats a failed call in halves, if one of its inputs may be the cause, so that a bad input fails alone in the end.
    /// - Parameter serverWorks: whether another of the calls has been answered since.
    private func callAgain(_ failed: FailedCall, _ shared: inout SharedCall, serverWorks: Bool = false) async {
        let ended = failed.ended
        let attempt = ended.lazy.map(\.job.attempt).max() ?? 1
        guard ended.count > 1, CallDivision.divides(failed.failure, attempt: attempt, isAgain: failed.number > 1, serverWorks) else {
            return await fallBack(failed, &shared)
        }
        guard !shared.division.isFutile else { return await settle(ended.map(untried)) }
        logger.info(
            "a call that \(ended.count) jobs shared failed; calling in halves",
            metadata: ["target": "\(ended[0].job.route)", "class": "\(failed.failure.rawValue)"])
        let half = (ended.count + 1) / 2
        let parts = await divide(ended, into: [Array(ended[..<half]), Array(ended[half...])])
        // The others were cancelled or lost their lease meanwhile. Their part of the failed call has yet to be recorded.
        let kept = Set(parts.joined().map(\.job.id))
        await settle(ended.filter { !kept.contains($0.job.id) })
        var failures: [FailedCall] = []
        var serverWorks = false
        for (place, part) in parts.enumerated() where !part.isEmpty {
            let now = platform_monotonic_ns()
            for call in shared.calls { inFlight.extend(call.job.lease, to: configuration.deadline(of: call.job, now: now)) }
            let again = await callTogether(part, number: failed.number * 2 + place, &shared)
            shared.division.note(wasAnswered: again == nil)
            if let again { failures.append(again) } else { serverWorks = true }
        }
        for again in failures { await callAgain(again, &shared, serverWorks: serverWorks) }
    }

    /// No half was answered, so any job may be the cause: the queue retries them all.
    private func untried(_ ended: EndedCall) -> EndedCall {
        var untried = settlements.end(ended.call, ended.attempt.untried, now: store.clock.wall())
        // The report of the call, with its cost, is kept.
        untried.request.call = ended.request.call
        return untried
    }

    /// Tries the fallbacks of a failed call, with as few calls as possible.
    private func fallBack(_ failed: FailedCall, _ shared: inout SharedCall) async {
        var left: [EndedCall] = []
        var next: [Target: [JobCall]] = [:]
        for ended in failed.ended {
            guard let job = await nextTarget(after: ended) else {
                left.append(ended)
                continue
            }
            var call = ended.call
            call.resume(job)
            await route(&call)
            next[job.route, default: []].append(call)
        }
        await settle(left)
        for calls in next.values {
            var open: [JobCall] = []
            for var call in calls {
                await fromCache(&call)
                await settle(&call)
                if call.isOpen { open.append(call) }
            }
            guard !open.isEmpty, let again = await callTogether(open, number: failed.number * 2 + 2, &shared) else { continue }
            await settle(again.ended)
        }
    }

    /// Reserves the calls of the halves. If the store fails, they are made without a reservation, since the jobs have been charged already.
    private func divide(_ ended: [EndedCall], into parts: [[EndedCall]]) async -> [[JobCall]] {
        do {
            let jobs = try await store.claims.divide(ended.map(\.request), into: parts.map { $0.map(\.job) })
            let calls = Dictionary(ended.map { ($0.job.id, $0.call) }, uniquingKeysWith: { one, _ in one })
            return jobs.map { part in
                part.compactMap { job in
                    var call = calls[job.id]
                    call?.job = job
                    return call
                }
            }
        } catch {
            logger.warning("a shared call could not be divided", metadata: ["error": "\(error)"])
            return parts.map { $0.map(\.call) }
        }
    }

    /// Settles a stopped job without waiting for the shared call. Its part of the answer is cached and charged later, like any late answer.
    func detach(_ call: JobCall) async {
        let attempt = Attempt(cause(of: .failure(.notStarted), call.job), latency: 0)
        var ended = settlements.end(call, attempt, now: store.clock.wall())
        ended.request.call = nil
        await settle([ended])
    }

    /// Ends the attempts of a call. The first job that the provider counted a call for reports the call; the others are its companions.
    private func end(_ calls: [JobCall]) -> [EndedCall] {
        let now = store.clock.wall()
        var ended = calls.compactMap { call -> EndedCall? in
            guard case .ended(let attempt) = call.state else { return nil }
            return settlements.end(call, attempt, now: now)
        }
        let isCaller = ended.map { one in
            switch one.attempt.answer {
            case .reply(let reply): reply.calls > 0
            case .failure(let failure): failure.calls > 0
            }
        }
        // The fence will refuse the report of a job that was stopped.
        let isHeard = ended.map { inFlight.reason(for: $0.job.lease) == nil }
        let tellers = ended.indices.filter { isCaller[$0] && isHeard[$0] }
        let standIn = tellers.isEmpty ? ended.indices.first { isHeard[$0] } ?? 0 : nil
        for place in ended.indices {
            let isCompanion = standIn.map { $0 != place } ?? !(isCaller[place] && isHeard[place])
            ended[place].request.call?.isCompanion = isCompanion
            if isCompanion, !isCaller[place] { ended[place].request.call?.calls = 0 }
        }
        return ended
    }
}

extension Sequence {
    /// Splits the elements by a condition, in their order.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> (those: [Element], others: [Element]) {
        var halves: ([Element], [Element]) = ([], [])
        for element in self {
            if condition(element) { halves.0.append(element) } else { halves.1.append(element) }
        }
        return halves
    }
}
