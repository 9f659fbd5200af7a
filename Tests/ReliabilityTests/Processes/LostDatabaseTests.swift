import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// The database's files change under programs that use them.
    @Suite struct LostDatabaseTests {
        /// Starts a program on a database that this process does not have open.
        private func start(_ program: Program, _ arguments: [String], on path: String, _ scene: Scene) throws -> ChildProcess {
            let options = ["--database", path, "--config", scene.folder + "/agent-queue.yaml"]
            return scene.add(try ChildProcess(program, arguments + options, environment: ["PATH": "/usr/bin:/bin", "HOME": scene.folder]))
        }

        private func run(
            _ program: Program, _ arguments: [String], on path: String, _ scene: Scene
        ) async throws -> (ending: ChildProcess.Ending, output: String) {
            try await start(program, arguments, on: path, scene).endOfOutput()
        }

        @Test func whoUsesADatabaseThatIsDeletedEnds() async throws {
            try await withScene(.hang) { scene in
                let worker = try await scene.worker()
                let id = try await scene.enqueue("never answered")
                try await scene.calls(1)
                let waiting = try scene.start("wait", "\(id)")
                let asking = try scene.start("enqueue", "--wait", "another")
                try await scene.calls(2)
                for suffix in ["", "-wal", "-shm"] { #expect(unlink(scene.database + suffix) == 0) }
                for process in [worker, waiting, asking] {
                    let (ending, output) = try await process.endOfOutput(within: .seconds(10))
                    #expect(ending == .exit(69) && output.contains("deleted, moved or replaced"), "\(output)")
                }
                try await within(.seconds(10), "the connections are closed") { [server = scene.server] in
                    try await server.waitForClientsToClose(2)
                }
                // Whatever begins now neither finds nor makes a queue.
                for command in [["enqueue", "x"], ["list"], ["stats"], ["database", "check"], ["doctor"]] {
                    let (ending, output) = try await scene.run(command)
                    #expect(ending == .exit(69) && output.contains("queue.db-lock"), "\(command): \(output)")
                }
                let (ending, output) = try await scene.startWorker("--drain").endOfOutput()
                #expect(ending == .exit(69) && output.contains("queue.db-lock"), "\(output)")
                #expect(access(scene.database, F_OK) != 0)
            }
        }

        @Test func aDrainedQueueIsOneFile() async throws {
            try await withScene(.always(.saying("fine"))) { scene in
                let path = scene.folder + "/own/queue.db"
                let added = try await run(.queue, ["enqueue", "x"], on: path, scene)
                #expect(added.ending == .exit(0), "\(added.output)")
                let drained = try await run(.worker, ["--drain"], on: path, scene)
                #expect(drained.ending == .exit(0), "\(drained.output)")
                let copy = scene.folder + "/copy.db"
                try FileManager.default.copyItem(atPath: path, toPath: copy)
                let listed = try await run(.queue, ["results"], on: copy, scene)
                #expect(listed.ending == .exit(0) && listed.output.contains("fine"), "\(listed.output)")
            }
        }

        /// What a killed worker leaves in the log is not mixed with a backup that is copied into the file's place.
        @Test func aBackupCopiedBesideTheLogOfAKilledWorkerIsRefused() async throws {
            try await withScene(.always(.saying("fine"))) { scene in
                let path = scene.folder + "/own/queue.db"
                let backup = scene.folder + "/backup.db"
                for command in [["enqueue", "x"], ["database", "backup", backup]] {
                    #expect(try await run(.queue, command, on: path, scene).ending == .exit(0))
                }
                let worker = try start(.worker, [], on: path, scene)
                try await worker.waitForOutput("completed")
                worker.send(SIGKILL)
                try await worker.end()
                let file = try #require(FileHandle(forWritingAtPath: path))
                try file.truncate(atOffset: 0)
                try file.write(contentsOf: #require(FileManager.default.contents(atPath: backup)))
                try file.close()
                for command in [["enqueue", "y"], ["list"], ["database", "check"]] {
                    let (ending, output) = try await run(.queue, command, on: path, scene)
                    #expect(ending == .exit(69) && output.contains("\(path)-wal"), "\(command): \(output)")
                }
                #expect(FileManager.default.contents(atPath: path) == FileManager.default.contents(atPath: backup))
                #expect(try await run(.queue, ["database", "restore", backup], on: path, scene).ending == .exit(0))
                let (ending, output) = try await run(.queue, ["stats"], on: path, scene)
                #expect(ending == .exit(0) && output.contains("1"), "\(output)")
            }
        }
    }
}
