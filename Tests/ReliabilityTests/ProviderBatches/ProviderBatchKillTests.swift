import AgentQueueModel
import AgentQueueTestSupport
import Glibc
import Testing

extension ReliabilityTests {
    /// A worker dies at each request of a batch's life: nothing is sent twice, and nothing that was paid for is lost.
    @Suite struct ProviderBatchKillTests {
        private static let prompts = (1...6).map { "question \($0)" }

        @Test(arguments: ServedBatch.API.allCases, Hold.Moment.allCases)
        func killedAtEachRequest(_ api: ServedBatch.API, _ moment: Hold.Moment) async throws {
            var steps: [BatchServer.Step] = []
            while let step = try await Self.kill(api, moment, at: steps.count + 1) { steps.append(step) }
            let whole: [BatchServer.Step] =
                api == .openAI ? [.upload, .create, .poll, .poll, .results] : [.create, .poll, .poll, .results]
            #expect(Array(steps.prefix(whole.count)) == whole)
            print("provider batches: \(api.rawValue) killed \(moment.rawValue) each of \(steps.map(\.rawValue))")
        }

        /// Kills the worker at a request, by its number; what the request was, or nil where there were not so many.
        private static func kill(_ api: ServedBatch.API, _ moment: Hold.Moment, at number: Int) async throws -> BatchServer.Step? {
            let server = BatchServer()
            let hold = server.hold(arrival: number, moment)
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(prompts, "--batch-api")
                let worker = try batch.drain()
                try await until("request \(number), or the end", within: .seconds(60)) { hold.isReached || worker.ending != nil }
                if hold.isReached {
                    worker.send(SIGKILL)
                    try await worker.end()
                    hold.proceed()
                    try await batch.waitForEnd(of: try batch.drain())
                } else {
                    try await batch.waitForEnd(of: worker)
                }
                try batch.checkAnswered(prompts)
                #expect(server.batches.count == 1, "killed \(moment.rawValue) \(number): \(server.steps)")
            }
            return hold.step
        }

        /// The request was on its way when its sender died, and arrives when the next worker has already looked for it.
        @Test(arguments: ServedBatch.API.allCases)
        func aBatchThatArrivesLateIsFound(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            let hold = server.hold(.create, .before)
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                let worker = try batch.drain()
                try await hold.waitUntilReached()
                worker.send(SIGKILL)
                try await worker.end()
                let next = try batch.drain()
                try await until("the next worker looks for it") { server.steps.contains(.list) }
                hold.proceed()
                try await batch.waitForEnd(of: next)
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.count == 1)
            }
        }

        @Test(arguments: ServedBatch.API.allCases, Hold.Moment.allCases)
        func killedAgainWhileLooking(_ api: ServedBatch.API, _ moment: Hold.Moment) async throws {
            for created in Hold.Moment.allCases {
                let server = BatchServer()
                let holds = [server.hold(.create, created), server.hold(.list, moment)]
                try await BatchScene.run(api, server) { batch in
                    try await batch.enqueue(Self.prompts, "--batch-api")
                    for hold in holds {
                        let worker = try batch.drain()
                        try await hold.waitUntilReached()
                        worker.send(SIGKILL)
                        try await worker.end()
                    }
                    try await batch.waitForEnd(of: try batch.drain())
                    try batch.checkAnswered(Self.prompts)
                    #expect(server.batches.count == 1)
                }
            }
        }

        /// A list of many pages, with batches of the same size that are other people's.
        @Test(arguments: ServedBatch.API.allCases, Hold.Moment.allCases)
        func strangersAreNotTakenForOurs(_ api: ServedBatch.API, _ moment: Hold.Moment) async throws {
            let server = BatchServer()
            server.limitPages(to: 2)
            let hold = server.hold(.create, moment)
            for _ in 0..<2 { server.addForeign(api, items: Self.prompts.count) }
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                let worker = try batch.drain()
                try await hold.waitUntilReached()
                worker.send(SIGKILL)
                try await worker.end()
                for _ in 0..<3 { server.addForeign(api, items: Self.prompts.count) }
                try await batch.waitForEnd(of: try batch.drain(), within: .seconds(90))
                let foreign = (0..<Self.prompts.count).map { "theirs \($0)" }
                #expect(foreign.allSatisfy { server.charges[$0] == 5 })
                #expect(Self.prompts.allSatisfy { server.charges[$0] == 1 })
                #expect(try batch.scene.count(.completed) == Self.prompts.count)
                #expect(server.batches.count == 6)
            }
        }

        @Test func storm() async throws {
            let server = BatchServer(plan: .init(polls: 1))
            let prompts = (1...300).map { "question \($0)" }
            try await BatchScene.run(.openAI, server) { batch in
                for start in stride(from: 0, to: 300, by: 50) {
                    let workers = try (0..<2).map { _ in try batch.drain() }
                    try await batch.enqueue(Array(prompts[start..<start + 50]), "--batch-api")
                    let seen = server.steps.count
                    try await until("a few requests") { server.steps.count >= seen + Int.random(in: 0...3) }
                    for worker in workers {
                        worker.send(SIGKILL)
                        try await worker.end()
                    }
                }
                try await batch.waitForEnd(of: try batch.drain(), within: .seconds(120))
                try batch.checkAnswered(prompts)
                print("provider batches: \(server.batches.count) batches for 300 jobs with 12 kills")
            }
        }
    }
}
