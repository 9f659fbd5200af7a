import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct BellTests {
    /// Which words each change rings for.
    @Test func everyChangeRingsForThoseItConcerns() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            var seen: [UInt32] = []
            func rings(_ body: () async throws -> Void) async throws -> [Bool] {
                seen = Bell.Word.allCases.map { other.bell.value($0) }
                try await body()
                return zip(Bell.Word.allCases, seen).map { other.bell.value($0) != $1 }
            }
            let work = [true, false]
            let done = [false, true]
            let both = [true, true]
            let neither = [false, false]
            var id: Int64 = 0
            var job: ClaimedJob?
            #expect(try await rings { id = try await f.add { $0.uniqueKey = "k" } } == work)
            #expect(try await rings { try await f.add { $0.uniqueKey = "k" } } == neither)
            #expect(try await rings { job = try await f.one() } == neither)
            #expect(try await rings { _ = try await f.claim() } == neither)
            #expect(try await rings { _ = try await f.store.jobs.cancel(ids: [id]) } == work)
            #expect(try await rings { try await f.fail(#require(job), .cancelled) } == done)
            #expect(try await rings { try await f.fail(#require(job), .cancelled) } == neither)
            #expect(try await rings { _ = try await f.store.jobs.retry(ids: [id]) } == work)
            #expect(try await rings { try await f.fail(f.one()) } == work)
            #expect(try await rings { _ = try await f.store.maintenance.promote() } == neither)
            f.clock.advance(10_000)
            #expect(try await rings { _ = try await f.store.maintenance.promote() } == work)
            #expect(try await rings { try await f.add { $0.after = [id] } } == neither)
            #expect(try await rings { _ = try await f.complete(f.one()) } == both, "and a cascade is to be carried out")
            #expect(try await rings { try await f.cascade() } == work)
            #expect(try await rings { try await f.store.jobs.pause(queue: "default") } == neither)
            #expect(try await rings { try await f.store.jobs.resume(queue: "default") } == work)
            #expect(try await rings { _ = try await f.store.jobs.delete(ids: [id]) } == neither)
            #expect(try await rings { try await f.add { $0.scheduledAt = f.clock.wall + 1 } } == work)
        }
    }

    /// A ring of one store wakes the listeners of another, well before they would look anyway.
    @Test(.timeLimit(.minutes(1))) func aRingIsHeardAcrossStores() async throws {
        try await withStore(durability: .normal) { f in
            let other = try f.another()
            defer { other.close() }
            var rings = other.changes(of: .work).makeAsyncIterator()
            await rings.next()  // at once
            var waits: [Duration] = []
            for index in 0..<20 {
                try await f.add("\(index)")
                let start = ContinuousClock.now
                await rings.next()
                waits.append(ContinuousClock.now - start)
            }
            // Looking once a second, all but the first would have taken that long. Beside busy tests some do.
            #expect(waits.sorted()[5] < .milliseconds(500))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aStreamYieldsAtOnceAndAtLeastOnceASecond() async throws {
        try await withStore { f in
            var rings = f.store.changes(of: .done).makeAsyncIterator()
            await rings.next()
            let start = ContinuousClock.now
            await rings.next()
            #expect(ContinuousClock.now - start < .seconds(5))
            // Each consumer hears for itself.
            var others = f.store.changes(of: .done).makeAsyncIterator()
            await others.next()
            await others.next()
            await rings.next()
        }
    }

    @Test(.timeLimit(.minutes(1))) func streamsEndWithTheStore() async throws {
        try await withStore { f in
            let other = try f.another()
            let waiting = other.changes(of: .work)
            let listener = Task {
                var heard = 0
                for await _ in waiting { heard += 1 }
                return heard
            }
            other.close()
            #expect(await listener.value >= 1)
            // One that comes too late ends at once, or yields once and ends.
            var late = 0
            for await _ in other.changes(of: .work) { late += 1 }
            #expect(late <= 1)
        }
    }
}
