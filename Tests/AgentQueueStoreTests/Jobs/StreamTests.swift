import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct StreamTests {
    @Test func anAnswerIsReadWhileItComes() async throws {
        try await withStore { f in
            let job = try await f.running { $0.isStreamed = true }
            #expect(job.isStreamed)
            #expect(try f.store.jobs.stream(of: job.id, after: 0) == StreamPage(chunks: [], token: nil, lastSequence: 0))
            #expect(try await f.rings(.done) { _ = try await f.store.claims.appendStream(job.lease, "One ") })
            #expect(try await f.store.claims.appendStream(job.lease, "two"))
            let page = try f.store.jobs.stream(of: job.id, after: 0)
            #expect(page == StreamPage(chunks: ["One ", "two"], token: job.lease.token, lastSequence: 2))
            #expect(try await f.store.claims.appendStream(job.lease, "!"))
            #expect(try f.store.jobs.stream(of: job.id, after: 2) == StreamPage(chunks: ["!"], token: job.lease.token, lastSequence: 3))
            #expect(try f.store.jobs.stream(of: job.id, after: 3).lastSequence == 3)
        }
    }

    @Test func aLaterAttemptVoidsTheEarlier() async throws {
        try await withStore { f in
            let job = try await f.running { $0.isStreamed = true }
            for text in ["a", "b"] { _ = try await f.store.claims.appendStream(job.lease, text) }
            try await f.fail(job)
            f.clock.advance(10_000)
            _ = try await f.store.maintenance.promote()
            let next = try await f.one()
            #expect(next.isStreamed)
            #expect(try await f.store.claims.appendStream(job.lease, "late") == false)
            _ = try await f.store.claims.appendStream(next.lease, "c")
            // The numbers go on, so that who has read two sees the third.
            #expect(try f.store.jobs.stream(of: job.id, after: 2) == StreamPage(chunks: ["c"], token: next.lease.token, lastSequence: 3))
            #expect(try f.store.jobs.stream(of: job.id, after: 0).chunks == ["c"])
        }
    }

    @Test func anotherTargetBeginsAnew() async throws {
        try await withStore { f in
            let job = try await f.running { $0.isStreamed = true }
            _ = try await f.store.claims.appendStream(job.lease, "half")
            let request = SettleRequest.call(job, .failed(job, .timedOut), now: f.clock.wall)
            let next = try #require(try await f.store.claims.reroute(request, to: [.named("other/b")]))
            let page = try f.store.jobs.stream(of: job.id, after: 1)
            #expect(page.chunks == [] && page.token != job.lease.token)
            _ = try await f.store.claims.appendStream(next.lease, "whole")
            #expect(try f.store.jobs.stream(of: job.id, after: 1) == StreamPage(chunks: ["whole"], token: page.token, lastSequence: 2))
        }
    }

    @Test func someoneMayWantToReadLater() async throws {
        try await withStore { f in
            let id = try await f.add()
            try await f.store.jobs.requestStream(of: id)
            try await f.store.jobs.requestStream(of: id)
            try await f.store.jobs.requestStream(of: 9_999)
            #expect(try await f.one().isStreamed)
            let plain = try await f.running()
            #expect(!plain.isStreamed)
            _ = try await f.complete(plain)
            try await f.store.jobs.requestStream(of: plain.id)
            #expect(try f.raw().rows("SELECT job_id FROM streams") == [["\(id)"]])
        }
    }

    /// However a job ends, nothing is left of its stream.
    @Test(arguments: ["answered", "discarded", "cancelled", "from the cache", "expired", "rescued", "never run", "no money"])
    func nothingIsLeftAfterTheEnd(_ end: String) async throws {
        try await withStore { f in
            let id = try await f.add {
                $0.isStreamed = true
                $0.maxAttempts = 1
                if end == "expired" { $0.expiresAt = f.clock.wall + 5 }
                if end == "no money" { $0.budget = 1 }
            }
            switch end {
            case "expired":
                f.clock.advance(10)
                #expect(try await f.store.maintenance.expire() == 1)
            case "never run":
                _ = try await f.store.jobs.cancel(ids: [id])
            case "no money":
                #expect(try await f.claim(.limiting([:], worst: 2)).isEmpty)
            default:
                let worker = end == "rescued" ? try f.deadWorker(bootID: "an earlier boot") : f.worker
                let job = try await f.one(worker: worker)
                #expect(try await f.store.claims.appendStream(job.lease, "text"))
                switch end {
                case "answered": _ = try await f.complete(job)
                case "discarded": try await f.fail(job, .permanent)
                case "cancelled": try await f.fail(job, .cancelled)
                case "rescued": #expect(try await f.store.maintenance.rescue() == 1)
                default:
                    // One that joins no flight, and whose answer is kept all the same.
                    let other = try await f.running {
                        $0.digest = job.digest
                        $0.useCache = false
                    }
                    _ = try await f.complete(other, cacheFor: 1_000)
                    #expect(try await f.store.claims.settleFromCache(job) == .settled(.completed))
                }
                #expect(try await f.store.claims.appendStream(job.lease, "late") == false)
            }
            #expect(try f.job(id).state.isFinal)
            for table in ["streams", "stream_chunks"] { #expect(try f.raw().int("SELECT count(*) FROM \(table)") == 0) }
        }
    }

    @Test func aJobThatIsFinalAtOnceHasNone() async throws {
        try await withStore { f in
            let first = try await f.running { $0.digest = [UInt8](repeating: 7, count: 32) }
            _ = try await f.complete(first, cacheFor: 1_000)
            let id = try await f.add {
                $0.digest = first.digest
                $0.isStreamed = true
            }
            #expect(try f.state(id) == .completed)
            #expect(try f.count(of: "streams") == 0)
        }
    }

    // MARK: Invalid replies

    @Test func theLastInvalidReplyIsKept() async throws {
        try await withStore { f in
            let id = try await f.add { $0.maxAttempts = 9 }
            #expect(try f.store.claims.lastInvalidReply(of: id) == nil)
            for text in ["{", "{}"] {
                let job = try await f.one()
                try await f.settle(job, CallReport(target: job.route, failure: .invalidReply, partialText: text))
                f.clock.advance(10_000)
                _ = try await f.store.maintenance.promote()
            }
            let last = try #require(try f.store.claims.lastInvalidReply(of: id))
            #expect(last.message == "it failed" && last.partial == "{}")
            #expect(try f.job(id).errors.map(\.partialText) == [nil, "{}"])
            let job = try await f.one()
            try await f.settle(job, CallReport(target: job.route, failure: .timedOut, partialText: String(repeating: "é", count: 200_000)))
            #expect(try f.job(id).errors.last?.partialText?.utf8.count == JobError.maxPartialBytes + 3)
        }
    }
}
