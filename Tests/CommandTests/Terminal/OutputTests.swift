import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

/// What reaches a screen, a pipe, a full disk.
@Suite struct OutputTests {
    /// Steers a terminal in every way there is: C0, DEL, C1, and text that turns around.
    private static let hostile = "\u{1B}[31mred\u{07}\u{7F}\u{9B}2J\u{202E}drawkcab\u{2066}\u{200F}\r\nnext\u{2028}"

    @Test("No stored text steers a terminal, in any command or format")
    func escaping() async throws {
        let sandbox = try Sandbox()
        let hostile = Self.hostile
        _ = try await sandbox.run(
            "enqueue", hostile, "--tag", "t\u{1B}[1m", "--batch", "b\u{1B}[1m\u{9B}", "--metadata", "k\u{1B}=\u{9B}v", "--unique-key",
            "u\u{202E}")
        try await sandbox.work { _ in hostile }
        _ = try await sandbox.run("enqueue", "fails")
        try await sandbox.work { _ in nil }
        _ = try await sandbox.run("enqueue", "fails again")
        try await sandbox.fail(hostile) {
            CallReport(target: $0.route, failure: .authentication, scope: .provider, isMaybePaid: true, partialText: hostile)
        }
        for line in [
            "list", "list --json", "show 1", "show 1 --json", "show 2", "show 2 --json", "result 1", "result 1 --json", "results",
            "results --json", "results --format csv", "results --format openai-batch", "results --format anthropic-batch", "wait 1",
            "wait 1 2 --json", "cache list", "cache list --json", "queues", "stats", "result 2", "show \u{1B}[1m", "\u{1B}[1m\u{9B}",
            "list --state \u{1B}[1m", "list --config \u{1B}[1m.yaml", "wait --batch \u{1B}[1m", "pause \u{9B}", "enqueue --file \u{9B}",
            "enqueue --jsonl \u{9B}", "providers check \u{9B}", "show 3", "show 3 --json", "wait --stream 1", "wait --stream 2",
            "enqueue x --schema \u{9B}", "providers list", "providers list --json", "providers resume \u{1B}[1m", "stats --json", "doctor",
            "doctor --json",
        ] {
            let arguments = line.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
            let ending = try await sandbox.shell("\"$AQ\" \(arguments)")
            for scalar in (ending.output + ending.error).unicodeScalars where scalar != "\n" && scalar != "\t" {
                let isHidden =
                    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar.properties.generalCategory == .format
                    || scalar.value == 0x2028
                #expect(!isHidden, "\(line) prints U+\(String(scalar.value, radix: 16))")
            }
            #expect(!(ending.output + ending.error).isEmpty, "\(line)")
        }
        #expect(try await sandbox.run("show", "1", "--json").json.first?["result"]?["text"] == .string(hostile))
    }

    @Test("A reader that goes away ends a command quietly")
    func closedPipe() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...3_000).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n"))
        _ = try await sandbox.run("enqueue", "--jsonl", "in.jsonl")
        for command in ["list --limit 3000 --json", "list --limit 3000", "results --state available --format csv", "config show", "--help"]
        {
            let ending = try await sandbox.shell(#""$AQ" \#(command) | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}""#)
            #expect(ending.output == "0\n", "\(command)")
            #expect(ending.error.isEmpty, "\(command): \(ending.error)")
        }
        // Adding goes on without a reader: half a file is worse than a number that nobody saw.
        let ending = try await sandbox.shell(
            #""$AQ" enqueue --jsonl in.jsonl --print-ids | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}""#)
        #expect(ending.output == "0\n")
        #expect(ending.error == "3,000 jobs added to local/smollm2\n")
    }

    @Test("A full disk behind standard output is an error")
    func fullDisk() async throws {
        let ending = try await Sandbox().shell(#""$AQ" config show > /dev/full"#)
        #expect(ending.status == 74)
        #expect(ending.sentence == "cannot write to standard output: no space left on device")
    }

    @Test("Colour and cut lines on a terminal; neither where NO_COLOR or a pipe is")
    func terminal() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", String(repeating: "long 長い ", count: 60))
        let colored = try await sandbox.terminal("list", width: 72)
        #expect(colored.contains("\u{1B}[1mID\u{1B}[0m"))
        let plain = try await sandbox.terminal("list", width: 72, environment: ["NO_COLOR": "1"])
        #expect(!plain.contains("\u{1B}"))
        let row = try #require(plain.split(whereSeparator: \.isNewline).last)
        #expect(row.hasSuffix("…"))
        let columns = row.unicodeScalars.reduce(0) { $0 + ($1.value >= 0x2E80 ? 2 : 1) }
        #expect(columns <= 72 && columns >= 70)
        #expect(try await !sandbox.run("list").output.contains("\u{1B}"))
    }

    @Test("Progress is drawn on a terminal alone")
    func progress() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...3_000).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n"))
        let drawn = try await sandbox.terminal("enqueue", "--jsonl", "in.jsonl", width: 90)
        #expect(drawn.contains("Adding") && drawn.contains("100%"))
        #expect(drawn.contains("3,000 jobs added"))
        #expect(try await sandbox.run("enqueue", "--jsonl", "in.jsonl").error == "3,000 jobs added to local/smollm2\n")
    }
}
