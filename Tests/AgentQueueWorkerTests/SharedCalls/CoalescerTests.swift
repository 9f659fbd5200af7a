import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueueWorker

@Suite struct CoalescerTests {
    private func job(
        _ id: Int64, lane: Int64 = 1, kind: JobKind = .embed, inputs: Int = 1, bytes: Int = 10, timeout: Int64? = nil,
        of route: String = "local/e", crashes: Int = 0, isProbe: Bool = false, isCached: Bool = false, token: Int64 = 1
    ) -> ClaimedJob {
        var job = ClaimedJob(
            lease: Lease(jobID: id, token: token), laneID: lane, batchID: nil, priority: 5, kind: kind, target: Target("local/e")!,
            body: "{}",
            digest: [], attempt: 1, maxAttempts: 5, crashes: crashes, timeout: timeout, useCache: true, cachedAt: isCached ? 0 : nil,
            route: Target(route)!, isProbe: isProbe)
        job.inputs = inputs
        job.bytes = bytes
        return job
    }

    private func coalescer(inputs: Int = 3, bytes: Int = .max, linger: Int64 = 10) -> Coalescer {
        Coalescer(capacities: ["local": CallCapacity(inputs: inputs, bytes: bytes), "other": CallCapacity(inputs: 2)], linger: linger)
    }

    private func ids(_ calls: [[ClaimedJob]]) -> [[Int64]] { calls.map { $0.map(\.id) } }

    @Test func aLoneJobWaitsForNoOne() {
        var coalescer = coalescer()
        #expect(ids(coalescer.add([job(1), job(2)], lanesWithMore: [], now: 0)) == [[1, 2]])
        #expect(coalescer.count == 0 && coalescer.nextDue == nil && coalescer.openCalls.isEmpty)
    }

    @Test func whereMoreIsComingItWaits() {
        var coalescer = coalescer()
        #expect(coalescer.add([job(1, inputs: 2, bytes: 30)], lanesWithMore: [1], now: 100).isEmpty)
        #expect(
            coalescer.count == 1 && coalescer.nextDue == 110
                && coalescer.openCalls == [1: OpenCall(inputs: 2, bytes: 30, route: Target("local/e"))])
        #expect(coalescer.add([], lanesWithMore: [], now: 109).isEmpty)
        #expect(ids(coalescer.add([], lanesWithMore: [], now: 110)) == [[1]])
        #expect(coalescer.count == 0)
    }

    /// The linger is the call's, and not anew with each job.
    @Test func companyDoesNotProlongTheWait() {
        var coalescer = coalescer()
        #expect(coalescer.add([job(1)], lanesWithMore: [1], now: 0).isEmpty)
        #expect(coalescer.add([job(2)], lanesWithMore: [1], now: 9).isEmpty)
        #expect(coalescer.nextDue == 10)
        #expect(ids(coalescer.due(now: 10)) == [[1, 2]])
    }

    @Test func jobsThatArriveOftenWaitForEachOther() {
        var coalescer = coalescer()
        #expect(ids(coalescer.add([job(1)], lanesWithMore: [], now: 0)) == [[1]])
        #expect(coalescer.add([job(2)], lanesWithMore: [], now: 10).isEmpty)
        #expect(coalescer.add([job(3)], lanesWithMore: [], now: 15).isEmpty)
        #expect(ids(coalescer.add([], lanesWithMore: [], now: 20)) == [[2, 3]])
        #expect(ids(coalescer.add([job(4)], lanesWithMore: [], now: 26)) == [[4]])
    }

    @Test func aFullCallLeavesAtOnce() {
        var coalescer = coalescer()
        #expect(ids(coalescer.add([job(1), job(2), job(3), job(4)], lanesWithMore: [1], now: 0)) == [[1, 2, 3]])
        #expect(coalescer.openCalls == [1: OpenCall(inputs: 1, bytes: 10, route: Target("local/e"))])
        #expect(ids(coalescer.add([job(5, inputs: 2)], lanesWithMore: [1], now: 1)) == [[4, 5]])
        // What does not fit sends the others off.
        #expect(coalescer.add([job(6, inputs: 2)], lanesWithMore: [1], now: 2).isEmpty)
        #expect(ids(coalescer.add([job(7, inputs: 2)], lanesWithMore: [1], now: 3)) == [[6]])
        #expect(coalescer.nextDue == 13)
    }

    @Test func bytesCountToo() {
        var coalescer = coalescer(inputs: 99, bytes: 20)
        #expect(ids(coalescer.add([job(1), job(2), job(3, bytes: 15), job(4)], lanesWithMore: [1], now: 0)) == [[1, 2], [3]])
    }

    @Test func oneThatIsTooLargeGoesAlone() {
        var coalescer = coalescer()
        #expect(ids(coalescer.add([job(1), job(2, inputs: 50), job(3)], lanesWithMore: [1], now: 0)) == [[1], [2]])
        #expect(coalescer.openCalls == [1: OpenCall(inputs: 1, bytes: 10, route: Target("local/e"))])
    }

    /// A job gives a tenth of its time to waiting for company, at most.
    @Test func aShortTimeoutIsHeeded() {
        var coalescer = coalescer()
        #expect(coalescer.add([job(1), job(2, timeout: 50)], lanesWithMore: [1], now: 100).isEmpty)
        #expect(coalescer.nextDue == 105)
        #expect(ids(coalescer.due(now: 104)) == [])
        #expect(ids(coalescer.due(now: 105)) == [[1, 2]])
        // It is never longer than the linger.
        #expect(coalescer.add([job(3, timeout: 60_000)], lanesWithMore: [1], now: 200).isEmpty)
        #expect(coalescer.nextDue == 210)
    }

    @Test func eachLaneHasItsOwnCall() {
        var coalescer = coalescer()
        #expect(ids(coalescer.add([job(1), job(2, lane: 2)], lanesWithMore: [1], now: 0)) == [[2]])
        #expect(coalescer.add([job(3, lane: 2)], lanesWithMore: [], now: 4).isEmpty)
        #expect(coalescer.count == 2 && Set(coalescer.openCalls.keys) == [1, 2])
        #expect(ids(coalescer.due(now: 10)) == [[1]] && coalescer.nextDue == 14)
    }

    /// A lane's jobs may go to a fallback from one round to the next.
    @Test func oneCallGoesToOneTarget() {
        var coalescer = coalescer()
        #expect(coalescer.add([job(1)], lanesWithMore: [1], now: 0).isEmpty)
        #expect(ids(coalescer.add([job(2, of: "other/e")], lanesWithMore: [1], now: 1)) == [[1]])
        #expect(ids(coalescer.add([job(3, of: "other/e")], lanesWithMore: [1], now: 2)) == [[2, 3]])
    }

    @Test func whoHasACallOfItsOwnLeavesAtOnce() {
        var coalescer = coalescer()
        let jobs = [
            job(1, kind: .generate), job(2, isProbe: true), job(3, isCached: true), job(4, crashes: 2), job(5, of: "third/e"),
            job(6, kind: .memorize),
        ]
        #expect(ids(coalescer.add(jobs, lanesWithMore: [1], now: 0)) == [[1], [2], [3], [4], [5]])
        #expect(coalescer.count == 1)
    }

    @Test func oneThatIsNotWantedIsTakenOut() {
        var coalescer = coalescer()
        _ = coalescer.add([job(1, inputs: 2, bytes: 30), job(2, lane: 2)], lanesWithMore: [1, 2], now: 0)
        #expect(coalescer.remove(Lease(jobID: 1, token: 9)) == nil)
        #expect(coalescer.remove(Lease(jobID: 2, token: 1))?.id == 2)
        #expect(coalescer.count == 1)
        _ = coalescer.add([job(3)], lanesWithMore: [1], now: 1)
        #expect(coalescer.count == 0)
        _ = coalescer.add([job(4, inputs: 2, bytes: 30)], lanesWithMore: [1], now: 2)
        #expect(coalescer.remove(Lease(jobID: 4, token: 1))?.id == 4)
        #expect(coalescer.count == 0 && coalescer.nextDue == nil)
        _ = coalescer.add([job(5, inputs: 1, bytes: 5), job(6, inputs: 1, bytes: 7)], lanesWithMore: [1], now: 3)
        #expect(coalescer.remove(Lease(jobID: 5, token: 1))?.id == 5)
        #expect(coalescer.openCalls == [1: OpenCall(inputs: 1, bytes: 7, route: Target("local/e"))])
    }

    @Test func atTheEndEverythingLeaves() {
        var coalescer = coalescer()
        _ = coalescer.add([job(1), job(2, lane: 2), job(3, lane: 2)], lanesWithMore: [1, 2], now: 0)
        #expect(ids(coalescer.flush()) == [[1], [2, 3]])
        #expect(coalescer.count == 0 && coalescer.flush().isEmpty)
    }

    @Test func withoutALingerNothingWaits() {
        var coalescer = coalescer(linger: 0)
        #expect(ids(coalescer.add([job(1)], lanesWithMore: [1], now: 5)) == [[1]])
        #expect(ids(coalescer.add([job(2)], lanesWithMore: [], now: 5)) == [[2]])
    }

    @Test func whatTheClaimPlannedAsTwoCallsStaysTwo() {
        var coalescer = coalescer(inputs: 100)
        let calls = coalescer.add([job(1), job(2), job(3, token: 2)], lanesWithMore: [1], now: 0)
        #expect(ids(calls) == [[1, 2]])
        #expect(ids(coalescer.add([job(4, token: 3)], lanesWithMore: [1], now: 1)) == [], "it goes along with the call that waits")
        #expect(ids(coalescer.flush()) == [[3, 4]])
    }
}
