import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// Two kernels on one volume: what each can know of the other.
@Suite struct KernelBeatsTests {
    private func withBeats(_ body: (KernelBeats, _ own: TestClock, _ other: TestClock) throws -> Void) async throws {
        try await withStore { f in
            let other = TestClock()
            other.bootID = "9f3c0b1e-6a52"
            f.clock.bootID = "11d2a7c4-0e38"
            try body(KernelBeats(path: f.path + "-bell"), f.clock, other)
        }
    }

    @Test func `a kernel whose worker is there refuses another`() async throws {
        try await withBeats { beats, own, other in
            try beats.refuseOthers(own.storeClock) { Issue.record("nothing to watch") }
            beats.beat(own.storeClock)
            try beats.refuseOthers(own.storeClock) { Issue.record("its own workers are no strangers") }
            beats.beat(other.storeClock)
            var looks = 0
            let error = #expect(throws: StoreError.self) {
                try beats.refuseOthers(own.storeClock) {
                    looks += 1
                    other.advance(100)
                    if looks == 20 { beats.beat(other.storeClock) }
                }
            }
            #expect(looks == 20 && error?.kind == .busy)
            #expect(error?.message.hasPrefix("the database is in use by workers of another machine") == true)
        }
    }

    @Test func `a former boot, and a kernel whose workers have ended, do not block a start`() async throws {
        try await withBeats { beats, own, other in
            // Before this kernel booted.
            other.wall -= own.boot + 1
            beats.beat(other.storeClock)
            try beats.refuseOthers(own.storeClock) { Issue.record("nothing to watch") }
            // The clock was ahead in that boot, so its note may be new.
            other.wall += 100_000_000
            beats.beat(other.storeClock)
            var looks = 0
            try beats.refuseOthers(own.storeClock, looks: 3) { looks += 1 }
            #expect(looks == 3)
            try beats.refuseOthers(own.storeClock) { Issue.record("it was watched before") }
        }
    }

    @Test func `a machine without a boot id refuses nobody`() async throws {
        try await withBeats { beats, own, other in
            beats.beat(other.storeClock)
            own.bootID = "unknown"
            try beats.refuseOthers(own.storeClock) { Issue.record("nothing to watch") }
            beats.beat(own.storeClock)
        }
    }
}
