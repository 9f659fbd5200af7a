import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import GRDBSQLite
import Testing

@testable import AgentQueueStore

extension ReliabilityTests {
    /// SQLite's WAL-reset bug, and the guard against it. The programs are in Tests/Faults; their heads say how they work.
    @Suite struct WALResetTests {
        @Test func theGuardHoldsInTheRace() async throws {
            try await withPrograms { folder in
                let figures = try await Self.run(folder, "wal_reset_race", "guard", folder + "/guarded.db", "0")
                #expect(figures["integrity"] == "ok")
                #expect(figures["rows_found"] == figures["rows_expected"])
                #expect(figures["resets"] == 0)
                #expect(try #require(figures["busy"]?.int) > 0)
            }
        }

        /// The control: it shows that the race is one.
        @Test(.enabled(if: !Checkpoints.hasWALResetFix(sqlite3_libversion_number())))
        func withoutTheGuardTheRaceLosesCommits() async throws {
            try await withPrograms { folder in
                let figures = try await Self.run(folder, "wal_reset_race", "noguard", folder + "/open.db")
                #expect(figures["integrity"] != "ok" || figures["rows_found"] != figures["rows_expected"])
            }
        }

        @Test func theGuardHoldsUnderStress() async throws {
            try await withPrograms { folder in
                let figures = try await Self.run(folder, "wal_reset_stress", folder + "/stress.db", "4", "8", "10", "guard")
                #expect(figures["integrity"] == "ok")
                #expect(figures["found"] == figures["acked"])
                for fault in ["stale", "errors", "crashed"] { #expect(figures[fault] == 0, "\(fault)") }
                #expect(try #require(figures["acked"]?.int) > 0)
            }
        }

        private func withPrograms(_ body: (String) async throws -> Void) async throws {
            let folder = try Folder.make()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let sources = URL(filePath: #filePath).appending(path: "../../../Faults").standardized.path() + "/"
            for (program, files) in [("wal_reset_race", ["wal_reset_race.c", "walrace.c"]), ("wal_reset_stress", ["wal_reset_stress.c"])] {
                let compiler = try ChildProcess(
                    "/usr/bin/cc", ["-O1", "-o", folder + "/" + program] + files.map { sources + $0 } + ["-lsqlite3"],
                    environment: ["PATH": "/usr/bin:/bin"])
                let (ending, output) = try await compiler.endOfOutput()
                try #require(ending == .exit(0), "\(output)")
            }
            try await body(folder)
        }

        private static func run(_ folder: String, _ program: String, _ arguments: String...) async throws -> JSONValue {
            let (ending, output) = try await ChildProcess(folder + "/" + program, arguments).endOfOutput(within: .seconds(60))
            #expect(ending == .exit(0), "\(output)")
            return try JSONValue.parse(output)
        }
    }
}
