import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// A disk of 2 MiB, filled to the last page.
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
            let script = Script { $0.prompt == "first" ? .saying("paid for", after: gate) : .saying("yes") }
            try await SmallDisk.withDisk(mebibytes: 2) { disk in
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
                    // Nor does a new worker. It ends, or waits for better times.
                    let late = try scene.startWorker("--drain")
                    try await until("the late worker gives up, or stays") { late.ending != nil || late.output.contains("ready") }
                    try Self.expectJobs(scene, acknowledged.count)

                    #expect(unlink(ballast) == 0)
                    disk.free()
                    for id in acknowledged { try await scene.wait(for: id, .completed, within: .seconds(60)) }
                    #expect(try scene.job(first).result?.text == "paid for")
                    #expect(try scene.job(first).attempt == 1)
                    let again = try await scene.run("enqueue", "there is room again")
                    #expect(again.ending == .exit(0), "\(again.output)")
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                    late.send(SIGTERM)
                    let end = try await late.endOfOutput()
                    #expect(end.ending == (end.output.contains("ready") ? .exit(0) : .exit(74)), "\(end.output)")
                }
            }
        }

        private static func expectJobs(_ scene: Scene, _ count: Int) throws {
            #expect(try scene.store.jobs.list(JobFilter(), limit: 1_000).count == count)
            #expect(try scene.store.maintenance.check().faults == [])
        }

        /// A question of 20 kB that no other is.
        private static func long(_ number: Int) -> String { "\(number) " + String(repeating: "why? ", count: 4_000) }
    }
}
