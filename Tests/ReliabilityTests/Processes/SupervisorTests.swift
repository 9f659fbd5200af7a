import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Several worker processes under one supervisor.
    @Suite struct SupervisorTests {
        @Test func itReplacesTheDeadAndEndsWithAll() async throws {
            try await withScene(.echo) { scene in
                let supervisor = try scene.startWorker("--processes", "2")
                let first = try await scene.supervised(2)
                #expect(!first.contains(supervisor.pid))
                let victim = try #require(first.first)
                kill(victim, SIGKILL)
                let second = try await scene.supervised(2, without: victim)
                #expect(second.count == 2)
                #expect(second.isSuperset(of: first.subtracting([victim])))
                for number in 1...6 { try await scene.wait(for: try await scene.enqueue("\(number)"), .completed) }
                supervisor.send(SIGTERM)
                #expect(try await supervisor.end() == .exit(0), "\(supervisor.output)")
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        @Test func itsChildrenEndWithIt() async throws {
            let gate = Gate()
            try await withScene(.always(.saying("done", after: gate))) { scene in
                let supervisor = try scene.startWorker("--processes", "2")
                let children = try await scene.supervised(2)
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                supervisor.send(SIGKILL)
                #expect(try await supervisor.end() == .signal(SIGKILL))
                // The idle one ends at once; the other lets its call finish.
                try await until("one child has ended") { try scene.store.maintenance.workers().count == 1 }
                gate.open()
                try await scene.wait(for: id, .completed)
                try await until("both children have ended") { children.allSatisfy { !Self.lives($0) } }
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        /// Children that would only end the same way again are not started again.
        @Test(arguments: [["--drain"], []]) func itEndsAsChildrenDoThatCannotRun(_ arguments: [String]) async throws {
            try await withScene(.echo) { scene in
                let other = scene.folder + "/other.db"
                try "not a database\n".write(toFile: other, atomically: true, encoding: .utf8)
                let alone = try await scene.startWorker(["--database", other] + arguments).end()
                let supervisor = try scene.startWorker(["--database", other, "--processes", "2"] + arguments)
                let (ending, output) = try await supervisor.endOfOutput(within: .seconds(10))
                #expect(alone == .exit(65))
                #expect(ending == alone, "\(output)")
            }
        }

        @Test func drainedItEnds() async throws {
            try await withScene(.echo) { scene in
                for number in 1...8 { try await scene.enqueue("\(number)") }
                let supervisor = try scene.startWorker("--processes", "2", "--drain")
                #expect(try await supervisor.end() == .exit(0), "\(supervisor.output)")
                #expect(try scene.store.jobs.lanes().map { $0.count(.completed) } == [8])
            }
        }

        /// Whether a process runs: one that has ended, and that nobody has asked after, does not.
        private static func lives(_ pid: pid_t) -> Bool {
            guard let file = fopen("/proc/\(pid)/stat", "r") else { return false }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            guard fgets(&line, Int32(line.count), file) != nil else { return false }
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return text.split(separator: ")").last?.split(separator: " ").first != "Z"
        }
    }
}
