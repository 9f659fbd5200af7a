import Testing

@testable import AgentQueueWorker

@Suite struct ProgressWatchTests {
    @Test func theWaitCountsFromTheLastEnd() {
        var watch = ProgressWatch()
        #expect(watch.isDue(at: 10_000))
        #expect(watch.look(ended: 5, at: 10_000) == 0)
        #expect(!watch.isDue(at: 10_100))
        #expect(watch.look(ended: 5, at: 70_000) == 60_000)
        #expect(watch.look(ended: 6, at: 80_000) == 0)
        // Two have been pruned: that is no end.
        #expect(watch.look(ended: 4, at: 90_000) == 10_000)
        #expect(watch.look(ended: 5, at: 95_000) == 0)
    }
}
