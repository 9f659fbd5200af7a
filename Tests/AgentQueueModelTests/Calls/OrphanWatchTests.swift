import AgentQueueModel
import Testing

@Suite struct OrphanWatchTests {
    private let orphan = ChildProcessRegister.Child(pid: 7, startTime: 1)
    private let child = ChildProcessRegister.Child(pid: 8, startTime: 2)

    @Test func onlyWhatStaysIsAnOrphan() {
        var watch = OrphanWatch()
        for look in 1..<OrphanWatch.looks {
            // Somebody waits for each of these.
            let brief = ChildProcessRegister.Child(pid: 8, startTime: UInt64(look))
            #expect(watch.look(at: [orphan, brief]) == [])
        }
        #expect(watch.look(at: [child, orphan]) == [orphan])
        #expect(watch.look(at: [child]) == [])
    }

    @Test func whatWasAwayBeginsAnew() {
        var watch = OrphanWatch()
        for _ in 1..<OrphanWatch.looks { #expect(watch.look(at: [orphan]) == []) }
        #expect(watch.look(at: []) == [])
        #expect(watch.look(at: [orphan]) == [])
    }
}
