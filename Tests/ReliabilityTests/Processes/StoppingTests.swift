import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// What ends a call before its answer: a person, its deadline, the end of its worker.
    @Suite struct StoppingTests {
        /// Ctrl-Z: a command that was stopped within a transaction would keep all others from writing.
        @Test func aStoppedCommandHoldsNoLock() async throws {
            try await withScene(.echo) { scene in
                let file = scene.folder + "/jobs.jsonl"
                let lines = (0..<4_000).map { "{\"prompt\": \"\($0)\"}" }
                try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
                let bulk = try scene.start("enqueue", "--jsonl", file)
                var stops = 0
                try await until("jobs arrive") { try scene.jobCount() > 0 || bulk.ending != nil }
                while bulk.ending == nil, stops < 10 {
                    bulk.send(SIGTSTP)
                    try await until("it stops") { bulk.isStopped || bulk.ending != nil }
                    if bulk.isStopped { #expect(WriteLockHolder.current(of: scene.database) == nil) }
                    try await scene.enqueue("meanwhile \(stops)")
                    bulk.send(SIGCONT)
                    stops += 1
                }
                #expect(stops > 1)
                #expect(try await bulk.end() == .exit(0))
                #expect(try scene.jobCount() == 4_000 + stops)
            }
        }

        @Test func aCancelReachesACallInAnotherProcess() async throws {
            try await withScene(.hang) { scene in
                _ = try await scene.worker()
                for (call, cancel) in [Self.cancelHere, Self.cancelByCommand].enumerated() {
                    let id = try await scene.enqueue("\(call)")
                    try await scene.calls(call + 1)
                    try await cancel(scene, id)
                    let began = ContinuousClock.now
                    try await within(.seconds(10), "the connection is closed") { [server = scene.server] in
                        try await server.waitForClientsToClose(call + 1)
                    }
                    #expect(ContinuousClock.now - began < .seconds(1))
                    try await scene.wait(for: id, .cancelled)
                    #expect(try scene.job(id).errors.map(\.failure) == [.cancelled])
                }
            }
        }

        private static func cancelHere(_ scene: Scene, _ id: Int64) async throws {
            #expect(try await scene.store.jobs.cancel(ids: [id]).map(\.result) == [.changed(.running)])
        }

        private static func cancelByCommand(_ scene: Scene, _ id: Int64) async throws {
            let (ending, output) = try await scene.run("cancel", "\(id)")
            #expect(ending == .exit(0), "\(output)")
        }

        @Test func aCallEndsAtItsDeadline() async throws {
            try await withScene(.hang) { scene in
                _ = try await scene.worker()
                let once = try await scene.enqueue("once") {
                    $0.timeout = 300
                    $0.maxAttempts = 1
                }
                let twice = try await scene.enqueue("twice") {
                    $0.timeout = 300
                    $0.maxAttempts = 2
                }
                try await scene.wait(for: once, .discarded, within: .seconds(10))
                #expect(try scene.job(once).errors.map(\.failure) == [.timedOut])
                try await scene.wait(for: twice, .retryable, within: .seconds(10))
                #expect(try scene.job(twice).errors.map(\.failure) == [.timedOut])
                try await scene.wait(for: twice, .discarded, within: .seconds(10))
                #expect(scene.server.requests.count == 3)
            }
        }

        @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT]) func aSignalLetsTheCallFinish(_ signal: Int32) async throws {
            let gate = Gate()
            try await withScene(.always(.saying("done", after: gate)), configuration: "worker: { concurrency: 1 }") { scene in
                let worker = try await scene.worker()
                let id = try await scene.enqueue("?")
                let next = try await scene.enqueue("another")
                try await scene.calls(1)
                worker.send(signal)
                try await worker.waitForOutput("stopping")
                gate.open()
                #expect(try await worker.end() == .exit(0))
                #expect(try scene.job(id).state == .completed)
                #expect(try scene.job(next).state == .available)
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        @Test(arguments: [SIGTERM, SIGINT]) func afterTheGraceTheJobGoesBack(_ signal: Int32) async throws {
            try await withScene(.hang) { scene in
                let worker = try await scene.worker("--shutdown-grace", "300ms")
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                worker.send(signal)
                #expect(try await worker.end(within: .seconds(10)) == .exit(0))
                try Self.expectHandedBack(scene, id)
            }
        }

        @Test func aWorkerThatIsStoppingStillHearsACancel() async throws {
            try await withScene(.hang) { scene in
                let worker = try await scene.worker("--shutdown-grace", "60s")
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                worker.send(SIGTERM)
                try await worker.waitForOutput("stopping")
                try await Self.cancelHere(scene, id)
                try await scene.wait(for: id, .cancelled, within: .seconds(5))
                #expect(try await worker.end(within: .seconds(10)) == .exit(0))
            }
        }

        @Test(arguments: [SIGTERM, SIGINT]) func aSecondSignalStopsAtOnce(_ signal: Int32) async throws {
            try await withScene(.hang) { scene in
                let worker = try await scene.worker("--shutdown-grace", "60s")
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                let began = ContinuousClock.now
                worker.send(signal)
                try await worker.waitForOutput("stopping: running jobs have 1m to finish; a second signal stops at once")
                // The same request, until a second has passed.
                try await until("it ends") {
                    worker.send(signal)
                    return worker.ending != nil
                }
                #expect(try await worker.endOfOutput().ending == .exit(0))
                #expect((.seconds(1)...(.seconds(5))).contains(ContinuousClock.now - began))
                #expect(worker.output.contains("handed 1 running job back to the queue: the attempts do not count"))
                try Self.expectHandedBack(scene, id)
            }
        }

        private static func expectHandedBack(_ scene: Scene, _ id: Int64) throws {
            let job = try scene.job(id)
            #expect(job.state == .available)
            #expect(job.attempt == 0)
            #expect(job.errors.isEmpty)
            #expect(scene.server.requests.count == 1)
            #expect(try scene.store.maintenance.workers().isEmpty)
        }
    }
}

extension Scene {
    fileprivate func jobCount() throws -> Int { Int(try number("SELECT count(*) FROM jobs") ?? 0) }
}

extension ChildProcess {
    fileprivate var isStopped: Bool {
        // The name, in parentheses, has no blank.
        let fields = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 2 && fields[2] == "T"
    }
}
