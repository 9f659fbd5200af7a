import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

@testable import agent_queue

/// Every table fits a terminal of 80 columns, whatever it holds: free text is cut, then names; figures, states and IDs never are.
@Suite struct TableTests {
    private static let long = String(repeating: "long-value-", count: 11)

    private func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(String.init)
    }

    private func expectFits(_ text: String, _ command: String, width: Int = 80) {
        // Sentences and figures beside the tables are as long as they must be.
        let sentences = ["agent-queue: ", "throughput ", "cache ", "waiting "]
        for line in lines(text) where !sentences.contains(where: line.hasPrefix) {
            #expect(DisplayWidth.of(line) <= width, "\(command): \(line)")
        }
    }

    /// A configuration with long names of everything.
    private static let configuration = """
        providers:
          local: { kind: openai, base_url: "http://127.0.0.1:1/\(long)", limits: { rpm: 5000, tpm: 2000000, concurrency: 100 } }
          a-\(String(long.prefix(50))): { kind: openai, base_url: "http://127.0.0.1:1/v1", api_key_env: \(String(repeating: "LONG_NAME_", count: 5)) }
        notifications: { n-\(String(long.prefix(60))): { command: "exit 3" } }
        modes: { m-\(String(long.prefix(55))): { pipeline: coding } }
        """

    @Test func everyTableFitsEightyColumns() async throws {
        let sandbox = try Sandbox()
        let config = try sandbox.file("aq.yaml", Self.configuration)
        let environment = ["AGENT_QUEUE_CONFIG": config, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"]
        let long = Self.long
        let notification = "n-\(long.prefix(60))"
        for prompt in ["a \(long) \(long)", "日本語 \(long)"] {
            let added = try await sandbox.run(
                "enqueue", prompt, "--queue", "q\(long)", "--batch", "b\(long)", "--model", "local/\(long)", "--on-finish", notification,
                "--tag", long, environment: environment)
            try #require(added.status == 0, "\(added.error)")
        }
        try await sandbox.work { _ in "answer \(long) \(long)" }
        _ = try await sandbox.run("enqueue", "fails \(long)", "--model", "local/\(long)", environment: environment)
        try await sandbox.fail("the server said \(long) \(long)") {
            CallReport(target: $0.route, failure: .authentication, scope: .provider, isMaybePaid: true)
        }
        for line in [
            [
                "schedule", "add", "0 7 1,2,3,4,5,6,7,8,9 jan,feb,mar,apr,may mon-fri", long, "--name", "s\(long)", "--time-zone",
                "America/Argentina/Buenos_Aires",
            ],
            ["schedule", "run", "s\(long)"], ["run", "summarize", "--input", "documents=\(long)"],
            ["pause", "q\(long)"],
        ] {
            let quoted = line.map { "'\($0)'" }.joined(separator: " ")
            let ending = try await sandbox.shell("AGENT_QUEUE_CONFIG='\(config)' \"$AQ\" \(quoted)")
            try #require(ending.status == 0, "\(ending.error)")
        }
        try await sandbox.withStore { store in
            for state in try store.jobs.list(JobFilter(), limit: 10).map(\.state) { #expect(JobState.allCases.contains(state)) }
        }
        for command in [
            "list", "results", "queues", "stats", "cache list", "notifications list", "schedule list", "runs",
            "run show 1",
            "providers list", "providers batches", "pipelines list", "pipelines show coding", "pipelines show summarize", "memory stats",
            "batches",
            "wait 1 2",
        ] {
            let shown = try await sandbox.terminal(
                arguments: command.split(separator: " ").map(String.init), width: 80, environment: environment)
            expectFits(shown, command)
        }
        let list = try await sandbox.terminal("list", width: 80, environment: environment)
        let rows = lines(list).filter { $0.contains("completed") }
        #expect(rows.count == 2 && rows.allSatisfy { $0.contains("1/") && $0.contains("…") }, "\(list)")
        // The text gives way before the name does.
        let results = lines(try await sandbox.terminal("results", width: 120, environment: environment)).filter { $0.contains("completed") }
        #expect(results.count == 2 && results.allSatisfy { $0.hasSuffix("…") && $0.contains("$0.25") }, "\(results)")
    }

    private func table(_ columns: [Column], _ cells: [[String]], mayOmitZeros: Bool = false, width: Int?) -> [String] {
        var table = Table(columns, mayOmitZeros: mayOmitZeros, screen: Screen(width: width))
        for row in cells { table.add(row.map { Cell($0) }) }
        return table.takeLines()
    }

    @Test func freeTextIsCutBeforeNames() {
        let columns = [Column("ID", .figure), Column("NAME", .name), Column("STATE", .fixed), Column("TEXT", .text)]
        let row = ["1234567", "a-name-of-some-length", "completed", String(repeating: "text ", count: 20)]
        #expect(table(columns, [row], width: nil).last == row.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        #expect(table(columns, [row], width: 60).last == "1234567  a-name-of-some-length  completed  text text text t…")
        #expect(table(columns, [row], width: 48).last == "1234567  a-name-of-som…  completed  text text t…")
        // Nothing that must stay whole is cut: it is printed below each other.
        #expect(
            table(columns, [row], width: 30) == [
                "id 1234567", "  name a-name-of-some-length", "  state completed", "  text text text text text te…",
            ])
    }

    @Test func columnsOfZerosGiveWayWhereTheyMay() {
        let columns = [Column("QUEUE", .name), Column("RUNNING", .figure), Column("COMPLETED", .figure), Column("FAILED", .figure)]
        let rows = [["default", "0", "1,234,567", "0"], ["other", "0", "7", "12"]]
        #expect(
            table(columns, rows, mayOmitZeros: true, width: 30) == [
                "QUEUE    COMPLETED  FAILED", "default  1,234,567       0", "other            7      12",
            ])
        #expect(table(columns, rows, width: 30).first == "queue default  running 0")
        #expect(table(columns, rows, mayOmitZeros: true, width: 80).first == "QUEUE    RUNNING  COMPLETED  FAILED")
    }

    @Test func aLaterPartKeepsItsFiguresWhole() {
        var table = Table([Column("ID", .figure), Column("TEXT", .text)], screen: Screen(width: 20))
        table.add([Cell("9"), Cell("short")])
        #expect(table.takeLines() == ["ID  TEXT", " 9  short"])
        table.add([Cell("123456"), Cell("x")])
        #expect(table.takeLines() == ["123456  x"])
    }
}
