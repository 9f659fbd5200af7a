import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Glibc
import Synchronization
import Testing

extension ReliabilityTests {
    /// Who owns a job whose worker stops, or dies.
    @Suite struct LeaseTests {
        @Test func aStoppedWorkerLosesItsJobAndItsAnswer() async throws {
            let first = Gate()
            let turn = Counter()
            let script = Script { _ in
                turn.add()
                return turn.count == 1 ? .saying("first", after: first) : .saying("second")
            }
            try await withScene(script, configuration: "worker: { lease: 1s }") { scene in
                _ = try await (scene.worker(), scene.worker())
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                let stopped = try scene.runner(of: id)
                stopped.send(SIGSTOP)
                try await scene.wait(for: id, .completed)
                let settled = try scene.job(id)
                #expect(settled.result?.text == "second")
                #expect(settled.attempt == 2)
                #expect(settled.errors.map(\.failure) == [.crashed])

                first.open()
                stopped.send(SIGCONT)
                try await stopped.waitForOutput("job \(id) lost to another worker")
                #expect(try scene.job(id) == settled)
                // Paid for twice, and on record.
                #expect(Set(scene.server.requests.compactMap(\.lease)).count == 2)

                // It is a worker like any other again.
                for worker in scene.processes where worker !== stopped { worker.send(SIGTERM) }
                for worker in scene.processes where worker !== stopped { try await worker.end() }
                let next = try await scene.enqueue("and now?")
                try await scene.wait(for: next, .completed)
            }
        }

        /// Its own upkeep must not take the job away that it has an answer for.
        @Test func aStoppedWorkerThatNobodyReplacedKeepsItsJob() async throws {
            let gate = Gate()
            try await withScene(.always(.saying("late", after: gate)), configuration: "worker: { lease: 1s }") { scene in
                let worker = try await scene.worker()
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                let token = try scene.token(of: id)
                worker.send(SIGSTOP)
                try await until("the lease has ended") { try scene.deadline(of: id) < scene.store.clock.boot() }
                worker.send(SIGCONT)
                try await until("the lease is renewed") { try scene.deadline(of: id) > scene.store.clock.boot() }
                #expect(try scene.token(of: id) == token)
                gate.open()
                try await scene.wait(for: id, .completed)
                #expect(try scene.job(id).attempt == 1)
                #expect(scene.server.requests.count == 1)
            }
        }

        /// Someone deletes the lock file, by which workers recognize each other: one of them has the old file, the next makes a new one.
        @Test func aDeletedLockFileCostsNoCall() async throws {
            let gate = Gate()
            let script = Script { $0.prompt == "long" ? .saying("yes", after: gate) : .echo($0) }
            try await withScene(script, configuration: "worker: { lease: 1h, concurrency: 1 }") { scene in
                let first = try await scene.worker()
                #expect(unlink(scene.database + "-lock") == 0)
                let second = try await scene.worker()
                let long = try await scene.enqueue("long")
                try await scene.calls(1)
                try await first.waitForOutput("the lock file was deleted or replaced")
                for number in 0..<3 {
                    try await scene.wait(for: try await scene.enqueue("short \(number)"), .completed)
                }
                #expect(try scene.job(long).attempt == 1)
                // Both have their bytes in the new file, so a death is seen at once again.
                let (runner, other) = try scene.runner(of: long) === first ? (first, second) : (second, first)
                runner.send(SIGKILL)
                try await scene.calls(5)
                #expect(try scene.runner(of: long) === other)
                gate.open()
                try await scene.wait(for: long, .completed)
                #expect(try scene.job(long).attempt == 2)
                #expect(scene.server.requests.count == 5)
            }
        }

        @Test func aKilledWorkersJobIsTakenOverAtOnce() async throws {
            let calls = Mutex<[Int64: Int]>([:])
            let script = Script { request in
                let call = calls.withLock { calls in
                    calls[request.lease?.jobID ?? 0, default: 0] += 1
                    return calls[request.lease?.jobID ?? 0]
                }
                return call == 1 ? .hang : .echo(request)
            }
            try await withScene(script, configuration: "worker: { lease: 1h, concurrency: 1 }") { scene in
                _ = try await (scene.worker(), scene.worker())
                var times: [Duration] = []
                for round in 1...24 {
                    let id = try await scene.enqueue("\(round)")
                    try await scene.calls(2 * round - 1)
                    let victim = try scene.runner(of: id)
                    let killed = ContinuousClock.now
                    victim.send(SIGKILL)
                    let call = try #require(try await scene.calls(2 * round).last)
                    times.append(ContinuousClock.now - killed)
                    #expect(call.lease?.jobID == id)
                    #expect(try scene.runner(of: id) !== victim)
                    try await scene.wait(for: id, .completed)
                    _ = try await scene.worker()
                }
                times.sort()
                print("instant rescue: median \(times[times.count / 2]), longest \(times[times.count - 1])")
                #expect(times[times.count / 2] < .milliseconds(100))
                #expect(times[times.count - 1] < .seconds(1))
            }
        }

        /// A job that kills its worker ends after its attempts, and takes none of those along that ran beside it.
        @Test func aPoisonJobEndsAlone() async throws {
            let poisonCalls = Counter()
            let neighbours = Gate()
            let script = Script { request in
                guard request.prompt == "poison" else { return .saying("echo \(request.prompt)", after: neighbours) }
                poisonCalls.add()
                return .hang
            }
            try await withScene(script, configuration: "worker: { concurrency: 6 }") { scene in
                let others = try await (1...11).asyncMap { try await scene.enqueue("\($0)") { $0.maxAttempts = 3 } }
                let poison = try await scene.enqueue("poison") {
                    $0.maxAttempts = 3
                    $0.priority = 1
                }
                _ = try await (scene.worker(), scene.worker())
                try await scene.calls(12)
                for death in 1...3 {
                    try await within(.seconds(30), "poison, call \(death)") { try await poisonCalls.wait(atLeast: death) }
                    let victim = try scene.runner(of: poison)
                    let beside = try #require(try scene.store.maintenance.workers().first { $0.pid == Int64(victim.pid) }).running - 1
                    // Two crashes make a suspect, and a suspect runs alone.
                    if death == 1 { #expect(beside == 5) } else if death == 3 { #expect(beside == 0) }
                    victim.send(SIGKILL)
                    try await victim.end()
                    if death == 2 { neighbours.open() }
                    _ = try scene.startWorker()
                }
                try await scene.wait(for: poison, .discarded)
                let job = try scene.job(poison)
                #expect(job.attempt == 3)
                #expect(job.errors.map(\.failure) == [.crashed, .crashed, .crashed])
                for id in others {
                    try await scene.wait(for: id, .completed)
                    #expect(try scene.job(id).attempt <= 3)
                }
                #expect(scene.server.requests.count { $0.prompt == "poison" } == 3)
            }
        }
    }
}

extension Scene {
    fileprivate func token(of id: Int64) throws -> Int64? { try number("SELECT token FROM jobs WHERE id = \(id)") }
    fileprivate func deadline(of id: Int64) throws -> Int64 { try number("SELECT lease_expires_at FROM jobs WHERE id = \(id)") ?? 0 }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
