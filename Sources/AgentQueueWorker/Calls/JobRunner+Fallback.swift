import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// The stage that tries another target after a failure.
extension JobRunner {
    /// Continues a failed call with a fallback target, if there is one, and records the failed call.
    /// - Returns: whether the fallback is to be called: not if the cache has its answer.
    func fallBack(_ call: inout JobCall) async -> Bool {
        guard case .ended(let attempt) = call.state, case .failure = attempt.outcome,
            let next = await nextTarget(after: settlements.end(call, attempt, now: store.clock.wall()))
        else { return false }
        call.resume(next)
        await route(&call)
        await fromCache(&call)
        return call.isOpen
    }

    /// The job with the next target that has capacity, reserved in the store together with the record of the failed call; nil if there is
    /// none.
    func nextTarget(after ended: EndedCall) async -> ClaimedJob? {
        let job = ended.call.job
        guard case .failure(let failure) = ended.attempt.outcome, !ended.attempt.isMismatch, !failure.isOwnShortage, job.kind != .memorize,
            let route = configuration.policies.routes[job.target.description], inFlight.reason(for: job.lease) == nil
        else { return nil }
        let wait = failure.retryAfter ?? configuration.backoff.base
        let candidates = Self.candidates(of: route, after: job.route, failure.failure, wait: wait).filter { target in
            guard let native = job.native, native.isRequired else { return true }
            return providers[target.provider]?.capabilities.forms.contains(native.form) == true
        }
        guard !candidates.isEmpty else { return nil }
        do {
            guard let next = try await store.claims.reroute(ended.request, to: candidates) else { return nil }
            inFlight.extend(next.lease, to: configuration.deadline(of: next, now: platform_monotonic_ns()))
            logger.info(
                "job \(job.id): \(job.route) failed, asking \(next.route)", metadata: ["class": "\(failure.failure.rawValue)"])
            return next
        } catch {
            // The queue retries the job's own target.
            logger.warning("a fallback could not be reserved", metadata: ["job": .stringConvertible(job.id), "error": "\(error)"])
            return nil
        }
    }

    /// The targets of a route after the failed one, in order. There are none if the request caused the failure, or if the wait for the
    /// target is short enough.
    /// - Parameters:
    ///   - failed: the target that failed.
    ///   - wait: how long the job would have to wait for that target, in ms.
    private static func candidates(of route: Route, after failed: Target, _ failure: FailureClass, wait: Int64) -> [Target] {
        guard failure.allowsFallback, let place = route.targets.firstIndex(of: failed) else { return [] }
        switch failure {
        case .rateLimited: if wait <= route.fallbackAfter ?? .max { return [] }
        case .overloaded: if let patience = route.fallbackAfter, wait <= patience { return [] }
        default: break
        }
        return Array(route.targets[(place + 1)...])
    }
}
