import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Completed jobs that are asked anew.
@Suite struct AskAgainTests {
    @Test func theNewAnswerTakesThePlaceOfTheOld() async throws {
        try await withStore { f in
            let job = try await f.running { $0.batch = "b" }
            #expect(try await f.complete(job, "old", cacheFor: 60_000) == .settled(.completed))
            let change = try await f.store.jobs.askAgain(ids: [job.id])
            #expect(change == [JobChange(id: job.id, result: .changed(.available))])
            #expect(try f.job(job.id).result == nil)
            #expect(try f.store.jobs.replacedResult(of: job.id)?.text == "old")
            #expect(try f.store.jobs.batch(named: "b") == BatchProgress(jobs: 1, completed: 0, cancelled: 0, discarded: 0))
            #expect(try f.count(of: "cache_entries") == 0, "the old answer would be served to others")

            let again = try await f.one()
            #expect(again.id == job.id && again.attempt == 1 && !again.useCache && again.cachedAt == nil)
            #expect(try await f.complete(again, "new") == .settled(.completed))
            #expect(try f.job(job.id).result?.text == "new")
            #expect(try f.store.jobs.replacedResult(of: job.id)?.text == "old")
            // The latest answer before the last is kept.
            _ = try await f.store.jobs.askAgain(ids: [job.id])
            #expect(try f.store.jobs.replacedResult(of: job.id)?.text == "new")
            #expect(try f.count(of: "replaced_results") == 1)
        }
    }

    @Test func aFailedNewAttemptLosesNothing() async throws {
        try await withStore { f in
            let job = try await f.running { $0.maxAttempts = 1 }
            _ = try await f.complete(job, "old")
            _ = try await f.store.jobs.askAgain(ids: [job.id])
            try await f.fail(try await f.one(), .permanent)
            #expect(try f.state(job.id) == .discarded)
            #expect(try f.store.jobs.replacedResult(of: job.id)?.text == "old")
            _ = try await f.store.jobs.delete(ids: [job.id])
            #expect(try f.count(of: "replaced_results") == 0)
        }
    }

    @Test func whatDependsOnItIsNotDoneAgain() async throws {
        try await withStore { f in
            let first = try await f.running()
            let second = try await f.add { $0.after = [first.id] }
            _ = try await f.complete(first)
            try await f.cascade()
            _ = try await f.complete(try await f.one())
            _ = try await f.store.jobs.askAgain(ids: [first.id])
            try await f.cascade()
            #expect(try f.states([first.id, second]) == [.available, .completed])
            try await f.fail(try await f.one(), .permanent)
            try await f.cascade()
            #expect(try f.states([first.id, second]) == [.discarded, .completed])
        }
    }

    @Test func onlyACompletedJobOfItsOwnIsAskedAnew() async throws {
        try await withStore { f in
            let waiting = try await f.add { $0.priority = 9 }
            let failed = try await f.running { $0.priority = 1 }
            try await f.fail(failed, .permanent)
            var memory = NewJob.asking("note", kind: .memorize)
            memory.priority = 1
            let stored = try await f.add(memory)
            _ = try await f.complete(try await f.one())
            let results = try await f.store.jobs.askAgain(ids: [waiting, failed.id, stored, 99]).map(\.result)
            #expect(
                results == [
                    .refused("only a completed job is asked anew; it has no answer yet"),
                    .refused("only a completed job is asked anew; retry it without asking anew"),
                    .refused("it stores memories; add another job instead"), .notFound,
                ])
        }
    }

    @Test func aJobWithMemoriesForgoesItsCacheToo() async throws {
        try await withStore { f in
            let body: JSONValue = ["messages": [["role": "user", "content": "x"]], "recall": ["limit": 2, "namespaces": ["n"]]]
            let request = ModelRequest(kind: .generate, target: try #require(Target("local/m")), body: body)
            var new = NewJob(
                kind: .generate, target: request.target, body: request.storedBody, digest: request.digest(identity: "test"))
            new.useCache = false
            let id = try await f.add(new)
            #expect(try f.job(id).usesCache)
            _ = try await f.complete(try await f.one())
            _ = try await f.store.jobs.askAgain(ids: [id])
            let asked = try f.job(id)
            #expect(!asked.usesCache)
            let use = try #require(try MemoryUse(asked.request))
            #expect(use.namespaces == ["n"] && use.recall == 2)
            #expect(asked.request["messages"] == body["messages"])
        }
    }
}
