import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// The calls that come of jobs that share one: the first, and those that are made where it fails as a whole.
struct SharedCall: Sendable {
    /// Those of the first call, who wait for the calls of the others too.
    let calls: [JobCall]
    var division: CallDivision
    /// Vectors that the calls have brought, by the cache key of their text: equal texts are called for once.
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

/// A call that failed as a whole, and whose jobs are not settled yet.
private struct FailedCall {
    var ended: [EndedCall]
    var failure: FailureClass
    /// The call's number within the attempt, from 1.
    var number: Int
}

/// Jobs that share a call.
extension JobRunner {
    /// Calls for all of them at once, and settles each by its own outcome.
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

    /// One call for all of them, and those that come of its failure.
    func callForAll(_ shared: inout SharedCall) async {
        if let failed = await callTogether(shared.calls, number: 1, &shared) { await callAgain(failed, &shared) }
    }

    /// One call for several jobs. Those that it answered, or that are not wanted any more, are settled.
    /// - Parameter number: the call's number within the attempt, from 1.
    /// - Returns: how it failed, if it did so as a whole.
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
        // The provider may have made several calls of it: those that it answered are done.
        let (answered, failed) = ended.partitioned(by: \.attempt.isAnswered)
        guard let failure = CallDivision.failure(of: failed.map(\.attempt.answer)), failed.count > 1 || answered.isEmpty else {
            await settle(ended)
            return nil
        }
        await settle(answered)
        return FailedCall(ended: failed, failure: failure, number: number)
    }

    /// A call has failed as a whole: where one of its jobs may be to blame, it is made again in halves, and so on: one bad input fails
    /// alone.
    /// - Parameter serverWorks: whether another call of theirs has been answered since.
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
        // Those whose lease was lost meanwhile, or whose cancellation was asked for: their part of the call has yet to be recorded.
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

    /// What fails whatever it is sent with may be everyone's fault: the queue tries again, attempt by attempt.
    private func untried(_ ended: EndedCall) -> EndedCall {
        var untried = settlements.end(ended.call, ended.attempt.untried, now: store.clock.wall())
        // What the call was, and may have cost, stays true.
        untried.request.call = ended.request.call
        return untried
    }

    /// A call has failed for good as far as its target goes: its fallbacks may be asked, by as few calls as that takes.
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

    /// The halves, with what their calls need reserved. Where the store failed, as they are: what was paid for must be tried.
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

    /// A job that is stopped does not wait for the call that others share. Its part of the answer, when that comes, is kept and charged
    /// for like any that comes too late.
    func detach(_ call: JobCall) async {
        let attempt = Attempt(cause(of: .failure(.notStarted), call.job), latency: 0)
        var ended = settlements.end(call, attempt, now: store.clock.wall())
        ended.request.call = nil
        await settle([ended])
    }

    /// How each job's part of a call ended. The first that the provider counted a call for tells of the call.
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
        // What one says whose job was cancelled meanwhile, the fence refuses.
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
    /// Those that fulfil a condition, and the others, each in their order.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> (those: [Element], others: [Element]) {
        var halves: ([Element], [Element]) = ([], [])
        for element in self {
            if condition(element) { halves.0.append(element) } else { halves.1.append(element) }
        }
        return halves
    }
}
