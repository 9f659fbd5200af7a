import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// A small disk, filled to the last page.
    @Suite struct FullDiskTests {
        /// Root is also whoever may have a namespace of their own: there, these tests run once more, in a process of its own.
        @Test(.enabled(if: !SmallDisk.isPossible, "root mounts a small disk without more ado")) func inANamespace() async throws {
            guard let (ending, output) = try await SmallDisk.runTestsInNamespace(filter: "FullDiskTests") else {
                print("skipped: mounting a small disk takes root, or a user namespace")
                return
            }
            #expect(ending == .exit(0), "\(output)")
        }

        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk takes root")) func nothingIsLostAndEverythingGoesOn() async throws {
            let gate = Gate()
            // Too long for the pages that the database has.
            let answer = String(repeating: "paid for ", count: 15_000)
            let script = Script { $0.prompt == "first" ? .saying(answer, after: gate) : .saying("yes") }
            try await SmallDisk.withDisk(mebibytes: 4) { disk in
                try await withScene(script, database: disk.path + "/queue.db") { scene in
                    let worker = try await scene.worker("--concurrency", "1")
                    let first = try await scene.enqueue("first")
                    try await scene.calls(1)
                    let ballast = disk.path + "/ballast"
                    #expect(FileManager.default.createFile(atPath: ballast, contents: Data(count: 1_200 << 10)))

                    var acknowledged = [first]
                    var refusal: StoreError?
                    while refusal == nil, acknowledged.count < 500 {
                        do {
                            acknowledged.append(try await scene.enqueue(Self.long(acknowledged.count)))
                        } catch let error as StoreError {
                            refusal = error
                        }
                    }
                    #expect(refusal?.kind == .full, "\(refusal?.message ?? "")")
                    // All or none.
                    let several = (0..<8).map { NewJob.asking(Self.long(1_000 + $0)) }
                    await #expect(throws: StoreError.self) { _ = try await scene.store.jobs.enqueue(several) }
                    let (ending, output) = try await scene.run("enqueue", Self.long(2_000))
                    #expect(ending == .exit(74))
                    #expect(output.contains("the disk is full"))
                    #expect(output.split(separator: "\n").count == 1, "\(output)")
                    try Self.expectJobs(scene, acknowledged.count)

                    // To the last page: not even a settle finds room.
                    try disk.fill()
                    gate.open()
                    try await worker.waitForOutput("a job could not be settled")
                    // A new worker waits for better times.
                    let late = try scene.startWorker("--drain")
                    try await until("the late worker waits") { late.output.contains("ready") || late.output.contains("the disk is full") }
                    try Self.expectJobs(scene, acknowledged.count)

                    #expect(unlink(ballast) == 0)
                    disk.free()
                    for id in acknowledged { try await scene.wait(for: id, .completed, within: .seconds(60)) }
                    #expect(try scene.job(first).result?.text == answer)
                    #expect(try scene.job(first).attempt == 1)
                    let again = try await scene.run("enqueue", "there is room again")
                    #expect(again.ending == .exit(0), "\(again.output)")
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                    let end = try await late.endOfOutput()
                    #expect(end.ending == .exit(0), "\(end.output)")
                }
            }
        }

        /// The disk stays full for longer than a lease. When there is room, whoever writes first must not take the others' jobs, whose
        /// answers have been paid for.
        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk takes root"))
        func nobodysJobsAreTakenThatCouldNotBeSettled() async throws {
            let gate = Gate()
            // Too long for the pages that the database has.
            let answer = String(repeating: "paid for ", count: 15_000)
            let script = Script { $0.prompt.count == 1 ? .saying(answer, after: gate) : .saying("yes") }
            try await SmallDisk.withDisk(mebibytes: 14) { disk in
                try await withScene(script, configuration: "worker: { lease: 1s, concurrency: 4 }", database: disk.path + "/queue.db") {
                    scene in
                    let workers = [try await scene.worker(), try await scene.worker()]
                    var ids: [Int64] = []
                    for number in 0..<8 { ids.append(try await scene.enqueue("\(number)")) }
                    try await scene.calls(8)
                    try disk.fill()
                    // The rest of the log and of the file's space.
                    var added = 0
                    while added < 1_000, (try? await scene.enqueue(Self.long(added))) != nil { added += 1 }
                    gate.open()
                    for worker in workers { try await worker.waitForOutput("a job could not be settled") }
                    let clock = scene.store.clock
                    let end = clock.boot() + 3_000
                    try await until("all leases would have ended") { clock.boot() > end }
                    disk.free()
                    for id in ids { try await scene.wait(for: id, .completed) }
                    #expect(try ids.map { try scene.job($0).attempt } == Array(repeating: 1, count: 8))
                    #expect(scene.server.requests.count { $0.prompt.count == 1 } == 8)
                }
            }
        }

        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk takes root")) func pruneNeedsNoRoom() async throws {
            try await SmallDisk.withDisk(mebibytes: 14) { disk in
                try await withScene(Script { _ in .saying("yes") }, database: disk.path + "/queue.db") { scene in
                    try await Self.addCancelled(150, scene)
                    try disk.fill()
                    // The rest of the log and of the file's space.
                    var refusal: StoreError?
                    var added = 0
                    while refusal == nil, added < 1_000 {
                        do {
                            try await scene.enqueue(Self.long(added))
                            added += 1
                        } catch let error as StoreError {
                            refusal = error
                        }
                    }
                    #expect(refusal?.kind == .full, "\(refusal?.message ?? "") after \(added)")
                    try Self.expectJobs(scene, 150 + added)

                    let (ending, output) = try await scene.run("prune", "--older-than", "0s", "--json")
                    #expect(ending == .exit(0), "\(output)")
                    #expect(output.contains("\"jobs\":150") || output.contains("\"jobs\": 150"), "\(output)")
                    try await scene.enqueue(Self.long(5_000))
                    let vacuumed = try await scene.run("prune", "--vacuum", "--json")
                    #expect(vacuumed.ending == .exit(0), "\(vacuumed.output)")
                    #expect(try Self.free(disk.path) > 1 << 20, "the disk has room again: \(vacuumed.output)")
                    try Self.expectJobs(scene, added + 1)
                }
            }
        }

        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk takes root")) func pruneNeeds256KiBWhereTheLogIsEmpty() async throws
        {
            try await SmallDisk.withDisk(mebibytes: 14) { disk in
                try await withScene(Script { _ in .saying("yes") }, database: disk.path + "/queue.db") { scene in
                    try await Self.addCancelled(150, scene)
                    try scene.emptyLog()
                    let room = disk.path + "/room"
                    #expect(FileManager.default.createFile(atPath: room, contents: Data(count: 256 << 10)))
                    try disk.fill()
                    #expect(unlink(room) == 0)

                    let (ending, output) = try await scene.run("prune", "--older-than", "0s", "--vacuum", "--json")
                    #expect(ending == .exit(0), "\(output)")
                    #expect(output.contains("\"jobs\":150") || output.contains("\"jobs\": 150"), "\(output)")
                    #expect(try Self.free(disk.path) > 256 << 10, "\(output)")
                    try Self.expectJobs(scene, 0)
                }
            }
        }

        private static func addCancelled(_ count: Int, _ scene: Scene) async throws {
            _ = try await scene.store.jobs.enqueue((0..<count).map { NewJob.asking(long(10_000 + $0)) })
            let (ending, output) = try await scene.run("cancel", "--state", "available", "--yes")
            #expect(ending == .exit(0), "\(output)")
        }

        private static func free(_ disk: String) throws -> UInt {
            var status = statvfs()
            let code = statvfs(disk, &status)
            try #require(code == 0)
            return status.f_bavail * status.f_frsize
        }

        private static func expectJobs(_ scene: Scene, _ count: Int) throws {
            #expect(try scene.store.jobs.list(JobFilter(), limit: 1_000).count == count)
            #expect(try scene.store.maintenance.check().faults == [])
        }

        /// A question of 20 kB that no other is.
        private static func long(_ number: Int) -> String { "\(number) " + String(repeating: "why? ", count: 4_000) }
    }
}
