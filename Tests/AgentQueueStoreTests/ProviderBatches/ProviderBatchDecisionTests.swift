import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What comes next for a provider's batch: values in, values out.
@Suite struct ProviderBatchDecisionTests {
    private static let policy = BatchPolicy(linger: 60_000, poll: 60_000, timeout: 10_000)

    private static func batch(_ state: ProviderBatch.State, _ configure: (inout ProviderBatch) -> Void = { _ in }) -> ProviderBatch {
        var batch = ProviderBatch(
            id: 1, target: .named("local/m"), kind: .generate, label: "aq-1", createdAt: 100_000, state: state, isClosed: false,
            isCertain: true, excluded: [], jobs: 2, inputs: 2, bytes: 0, dueAt: 100_000, looks: 0, failures: 0, isWanted: true,
            hasMore: false)
        configure(&batch)
        return batch
    }

    @Test(
        arguments: [
            // Collecting: as long as it lingers, unless it is full, or no one else will come.
            (batch(.collecting), false, 100_000, .wait(until: 160_000)),
            (batch(.collecting), false, 160_000, .submit),
            (batch(.collecting) { $0.isClosed = true }, false, 100_000, .submit),
            (batch(.collecting), true, 100_000, .submit),
            (batch(.collecting) { $0.hasMore = true }, true, 100_000, .wait(until: 160_000)),
            (batch(.collecting) { $0.urgentAt = 130_000 }, false, 100_000, .wait(until: 130_000)),
            (batch(.collecting) { $0.urgentAt = 130_000 }, false, 130_000, .releaseUrgent),
            (
                batch(.collecting) {
                    $0.failures = 1
                    $0.isClosed = true
                    $0.dueAt = 115_000
                }, true, 110_000, .wait(until: 115_000)
            ),
            (
                batch(.collecting) {
                    $0.failures = 1
                    $0.dueAt = 115_000
                }, false, 115_000, .submit
            ),
            // Submitting, and no one is at it: the provider is asked first, always.
            (batch(.submitting), true, 100_000, .reconcile),
            (batch(.submitting) { $0.urgentAt = 1 }, false, 100_000, .reconcile),
            (batch(.submitting) { $0.dueAt = 101_000 }, false, 100_000, .wait(until: 101_000)),
            // Submitted.
            (batch(.submitted) { $0.dueAt = 115_000 }, false, 100_000, .wait(until: 115_000)),
            (batch(.submitted), false, 100_000, .poll),
            (
                batch(.submitted) {
                    $0.dueAt = 115_000
                    $0.urgentAt = 105_000
                }, false, 100_000, .wait(until: 105_000)
            ),
            (batch(.submitted) { $0.urgentAt = 100_000 }, false, 100_000, .cancel),
            (batch(.submitted) { $0.isWanted = false }, false, 100_000, .cancel),
            // What may be another's is not ours to cancel.
            (
                batch(.submitted) {
                    $0.isCertain = false
                    $0.isWanted = false
                    $0.urgentAt = 1
                    $0.dueAt = 115_000
                }, false, 100_000, .wait(until: 115_000)
            ),
            // A cancel that failed is not repeated at once.
            (
                batch(.submitted) {
                    $0.urgentAt = 1
                    $0.failures = 1
                    $0.dueAt = 115_000
                }, false, 100_000, .wait(until: 115_000)
            ),
            (batch(.cancelling), false, 100_000, .poll),
            (batch(.cancelling) { $0.dueAt = 115_000 }, false, 100_000, .wait(until: 115_000)),
            (batch(.harvesting), false, 100_000, .harvest),
            (batch(.harvesting) { $0.dueAt = 115_000 }, false, 100_000, .wait(until: 115_000)),
            (batch(.returning) { $0.dueAt = 115_000 }, false, 100_000, .returnRest),
            (batch(.ended), true, 100_000, .wait(until: .max)),
            // The clock has gone back: no wait is longer than any that is set.
            (batch(.collecting), false, 90_000, .submit),
            (batch(.submitted) { $0.dueAt = 100_000 + 300_001 }, false, 100_000, .poll),
            (batch(.submitted) { $0.dueAt = 100_000 + 300_000 }, false, 100_000, .wait(until: 400_000)),
        ] as [(ProviderBatch, Bool, Int64, BatchStep)])
    func whatComesNext(_ batch: ProviderBatch, _ drains: Bool, _ now: Int64, _ step: BatchStep) {
        #expect(batch.decide(Self.policy, drains: drains, now: now) == step)
    }

    @Test(
        arguments: [
            (ModelFailure(.rateLimited, "x"), .collecting), (ModelFailure(.authentication, "x"), .collecting),
            (ModelFailure(.quotaExhausted, "x"), .collecting), (ModelFailure.unsent("x"), .returning),
            (ModelFailure(.permanent, "x"), .returning), (ModelFailure(.refused, "x"), .returning),
            // It may be there, whatever was said.
            (ModelFailure(.retryable, "x", isMaybePaid: true), .submitting), (ModelFailure(.retryable, "x"), .submitting),
            (ModelFailure(.overloaded, "x"), .submitting), (ModelFailure(.timedOut, "x"), .submitting),
            (ModelFailure(.cancelled, "x"), .submitting), (ModelFailure(.invalidReply, "x"), .submitting),
            (ModelFailure(.permanent, "x", isMaybePaid: true), .submitting),
        ] as [(ModelFailure, ProviderBatch.State)])
    func aSubmissionThatFails(_ failure: ModelFailure, _ state: ProviderBatch.State) {
        let intent = Self.batch(.collecting).submitting(Self.policy, now: 200_000)
        #expect(intent.state == .submitting && intent.isClosed && intent.unsettledUntil == 220_000 && intent.submittingAt == 200_000)
        let next = intent.notSubmitted(failure, Self.policy, now: 205_000)
        #expect(next.state == state && next.error?.hasSuffix("x") == true && next.failures == 1)
        switch state {
        case .collecting: #expect(next.submittingAt == nil && next.dueAt == 220_000)
        case .returning: #expect(next.rest == .live)
        default: #expect(next.unsettledUntil == 215_000 && next.dueAt == 205_000 && next.submittingAt == 200_000)
        }
    }

    private static func remote(_ id: String, certain: Bool = false, count: Int? = 2) -> RemoteBatch {
        RemoteBatch(id: id, status: .inProgress, count: count, createdAt: 0, isCertain: certain)
    }

    private static let sent = batch(.submitting) {
        $0.unsettledUntil = 200_000
        $0.excluded = ["theirs"]
    }

    @Test(
        arguments: [
            ([], [:], 150_000, .open(until: 165_000)),
            ([], [:], 190_000, .open(until: 200_000)),
            ([], [:], 200_000, .absent),
            ([remote("a")], [:], 150_000, .found(remote("a"))),
            ([remote("a"), remote("b", certain: true)], [:], 150_000, .found(remote("b", certain: true))),
            ([remote("theirs")], [:], 200_000, .absent),
            ([remote("a", count: 3)], [:], 200_000, .absent),
            ([remote("a", count: nil)], [:], 200_000, .found(remote("a", count: nil))),
            ([remote("a"), remote("b")], ["a": true], 150_000, .found(remote("b"))),
            ([remote("a")], ["a": true], 200_000, .absent),
            // What another only took for its own may be given back.
            ([remote("a")], ["a": false], 200_000, .open(until: 215_000)),
            ([remote("a"), remote("b")], ["a": false], 200_000, .found(remote("b"))),
        ] as [([RemoteBatch], [String: Bool], Int64, BatchFinding)])
    func whatTheProvidersListSays(_ found: [RemoteBatch], _ taken: [String: Bool], _ now: Int64, _ finding: BatchFinding) {
        #expect(Self.sent.find(in: found, taken: taken, Self.policy, now: now) == finding)
    }

    @Test func pollsGrowApart() {
        let waits = (0..<12).map { Self.policy.interval(afterLooks: $0) }
        #expect(waits[0] == 15_000 && waits == waits.sorted() && waits.last == 300_000)
        #expect(BatchPolicy(poll: 1).interval(afterLooks: 0) == 1)
        #expect(Self.policy.backoff(afterFailures: 1) == 15_000 && Self.policy.backoff(afterFailures: 2) == 30_000)
        #expect(Self.policy.backoff(afterFailures: 1_000) == 300_000)
    }

    @Test func itIsAskedForSoonAboutItsEnd() {
        let late = Self.batch(.submitted) { $0.looks = 20 }
        let remote = RemoteBatch(id: "a", status: .inProgress, createdAt: 0, expiresAt: 240_000)
        #expect(late.underWay(remote, Self.policy, now: 200_000).dueAt == 240_000)
        #expect(late.underWay(remote, Self.policy, now: 239_000).dueAt == 254_000)
        #expect(late.underWay(remote, Self.policy, now: 300_000).dueAt == 600_000)
    }

    @Test(arguments: [(0, 600_000, 540_000), (0, 100_000_000, 96_400_000), (0, 3_600_000, 3_240_000), (0, 30_000, -30_000)])
    func nearADeadline(_ created: Int64, _ deadline: Int64, _ near: Int64) {
        #expect(BatchPolicy.nearTime(of: deadline, created: created) == near)
    }

    @Test func itemsBearTheirBatchsName() {
        let batch = Self.batch(.submitted)
        #expect(batch.job(ofItem: batch.itemName(of: 42)) == 42)
        #expect(batch.job(ofItem: "aq-12-42") == nil && batch.job(ofItem: "aq-1-x") == nil && batch.job(ofItem: "42") == nil)
    }
}
