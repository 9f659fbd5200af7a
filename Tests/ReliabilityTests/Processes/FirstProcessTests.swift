import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// A worker as process 1 of a container without an init process.
    @Suite struct FirstProcessTests {
        private static let options = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]

        @Test func reapsOrphans() async throws {
            guard try await ChildProcess("/usr/bin/unshare", Self.options + ["true"]).end() == .exit(0) else {
                print("skipped: a process namespace takes root, or a user namespace")
                return
            }
            try await withScene(.echo) { scene in
                // The shell's child ends after the shell has become the worker, which knows nothing of it.
                let command = #"sleep 3 & exec "$0" "$@""#
                let arguments = [
                    "sh", "-c", command, Program.worker.path, "--database", scene.database, "--config", scene.folder + "/agent-queue.yaml",
                ]
                let container = scene.add(
                    try ChildProcess(
                        "/usr/bin/unshare", Self.options + arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": scene.folder]))
                try await until("the worker is ready") { container.output.contains("ready") }
                let worker = try #require(Self.children(of: container.pid).first)
                let orphan = try #require(Self.children(of: worker).first)
                try await until("the orphan has been reaped") { kill(orphan, 0) != 0 }
                let id = try await scene.enqueue("the worker works")
                try await scene.wait(for: id, .completed)
            }
        }

        private static func children(of parent: pid_t) throws -> [pid_t] {
            let path = "/proc/\(parent)/task/\(parent)/children"
            return try String(contentsOfFile: path, encoding: .utf8).split(separator: " ").compactMap { pid_t($0) }
        }
    }
}
