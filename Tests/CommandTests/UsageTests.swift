import Foundation
import Testing

/// What is wrong on the command line gets one sentence and its exit code, and changes nothing.
@Suite struct UsageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        /// A part of the sentence.
        let says: String

        init(_ arguments: String..., status: Int32 = 64, says: String) {
            self.arguments = arguments
            self.status = status
            self.says = says
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let cases = [
        Case("lst", says: "unknown command 'lst' (did you mean 'list'?)"),
        Case("cache", "stat", says: "unknown command 'stat' (did you mean 'stats'?)"),
        Case("enqueue", says: "missing prompt"),
        Case("enqueue", "", status: 65, says: "the prompt is empty"),
        Case("enqueue", " \n ", status: 65, says: "the prompt is empty"),
        Case("enqueue", "one", "two", says: "unexpected argument 'two'"),
        Case("enqueue", "x", "--file", "y", says: "are mutually exclusive"),
        Case("enqueue", "--file", "missing.txt", says: "no such file"),
        Case("enqueue", "x", "--frob", says: "unknown option '--frob'"),
        Case("enqueue", "x", "--model", "plain", says: "'plain' is not a target"),
        Case("enqueue", "x", "--model", "locl/m", says: "unknown provider 'locl' in model 'locl/m' (did you mean 'local'?)"),
        Case("enqueue", "x", "--delay", "-5m", says: "--delay '-5m' is negative"),
        Case("enqueue", "x", "--delay", "soon", says: "--delay 'soon' is not a duration"),
        Case("enqueue", "x", "--at", "tomorrow", says: "--at 'tomorrow' is not a time"),
        Case("enqueue", "x", "--priority", "0", says: "priority must be 1 to 9"),
        Case("enqueue", "x", "--priority", "-1", says: "priority must be 1 to 9"),
        Case("enqueue", "x", "--temperature", "9", says: "temperature must be 0 to 2"),
        Case("enqueue", "x", "--max-attempts", "0", says: "max_attempts must be 1 to 1000"),
        Case("enqueue", "x", "--metadata", "novalue", says: "not of the form key=value"),
        Case("enqueue", "x", "--queue", "a b", says: "queue 'a b'"),
        Case("enqueue", "x", "--after", "99", status: 65, says: "job 99"),
        Case("enqueue", "x", "--after", "one", says: "'one' is invalid"),
        Case("enqueue", "x", "--print-ids", says: "--print-ids requires --jsonl"),
        Case("enqueue", "x", "--schema", "missing.json", says: "cannot open 'missing.json': no such file"),
        Case("enqueue", "x", "--schema", ".", says: "cannot read '.': is a directory"),
        Case("enqueue", "x", "--stream", says: "--stream requires --wait"),
        Case("enqueue", "x", "--wait", "--stream", "--json", says: "--stream cannot be combined with --json"),
        Case("enqueue", "--embed", "x", "--wait", "--stream", says: "--stream cannot be combined with --embed"),
        Case("enqueue", "x", "--budget", "0", says: "budget must be more than 0"),
        Case("enqueue", "x", "--budget", "-1", says: "budget must be more than 0"),
        Case("enqueue", "x", "--budget", "nan", says: "budget must be more than 0"),
        Case("enqueue", "x", "--budget", "1000001", says: "at most 1000000 US dollars"),
        Case("enqueue", "x", "--budget", "a lot", says: "the value 'a lot' is invalid for '--budget <usd>'"),
        Case("enqueue", "x", "--cache-ttl", "500ms", says: "cache_ttl 500ms is out of range (1s to 3650d)"),
        Case("enqueue", "x", "--cache-ttl", "long", says: "--cache-ttl 'long' is not a duration"),
        Case("enqueue", "x", "--cache-ttl", "1h", "--no-cache", says: "cache_ttl has no meaning"),
        Case("enqueue", "x", "--deadline", "6h", says: "deadline is for a job that uses the batch API"),
        Case("enqueue", "x", "--no-batch-api", "--deadline", "6h", says: "deadline is for a job that uses the batch API"),
        Case("enqueue", "x", "--batch-api", "--deadline", "-1h", says: "--deadline '-1h' is negative"),
        Case("enqueue", "x", "--batch-api", "--wait", "--stream", says: "stream and batch_api cannot both be given"),
        Case("enqueue", "x", "--batch-api", "--model", "claude-code/sonnet", says: "claude-code has no batch API"),
        Case("enqueue", "--embed", "x", "--batch-api", "--model", "anthropic/m", says: "takes no embed jobs"),
        Case("enqueue", "x", "--dry-run", "--wait", says: "--dry-run cannot be combined with --wait"),
        Case("enqueue", "--jsonl", "f", "--dry-run", "--print-ids", says: "--dry-run cannot be combined with --print-ids"),
        Case("enqueue", "--jsonl", "missing.jsonl", "--dry-run", says: "no such file"),
        Case("enqueue", "", "--dry-run", status: 65, says: "the prompt is empty"),
        Case("enqueue", "--jsonl", "f", "--wait", says: "--wait cannot be combined with --jsonl"),
        Case("enqueue", "--jsonl", "missing.jsonl", says: "no such file"),
        Case("enqueue", "x", "--wait-timeout", "1m", says: "--wait-timeout requires --wait"),
        Case("ask", says: "missing prompt"),
        Case("ask", "x", "--file", "y", says: "mutually exclusive"),
        Case("ask", "", status: 65, says: "the prompt is empty"),
        Case("ask", "x", "--model", "locl/m", says: "unknown provider 'locl'"),
        Case("ask", "x", "--wait-timeout", "soon", says: "--wait-timeout: 'soon' is not a duration"),
        Case("list", "--state", "complted", says: "--state: unknown state 'complted' (did you mean 'completed'?)"),
        Case("list", "--state", "done", says: "--state: unknown state 'done' (use pending, scheduled"),
        Case("list", "--limit", "0", says: "--limit must be at least 1"),
        Case("list", "--model", "plain", says: "--model: 'plain' is not a model"),
        Case("list", "--since", "whenever", says: "--since: 'whenever' is not a time"),
        Case("list", "--error-class", "rate_limit", says: "--error-class: unknown 'rate_limit' (did you mean 'rate_limited'?)"),
        Case("list", "--metadata", "lang", says: "--metadata: 'lang' is not of the form key=value"),
        Case("list", "--search", "", says: "--search needs a text"),
        Case("list", "--since", "1h", "--until", "2h", says: "--since is not before --until"),
        Case("list", "--since", "1h", "--since", "2h", says: "--since can be given once"),
        Case("list", "--queue", "nothere", status: 65, says: "queue 'nothere' not found"),
        Case("list", "--batch", "nothere", status: 65, says: "batch 'nothere' not found"),
        Case("results", "--batch", "nothere", status: 65, says: "batch 'nothere' not found"),
        Case("results", "--queue", "nothere", "--json", status: 65, says: "queue 'nothere' not found"),
        Case("results", "--format", "xml", says: "xml"),
        Case("results", "--all", "--state", "failed", says: "--all and --state are mutually exclusive"),
        Case("results", "--columns", "id", says: "--columns requires --format csv"),
        Case("results", "--format", "csv", "--columns", "id,txt", says: "--columns: unknown column 'txt' (did you mean 'text'?)"),
        Case("results", "--json", "--format", "csv", says: "--json cannot be combined with --format csv"),
        Case("show", "abc", says: "'abc' is invalid"),
        Case("show", "99", status: 65, says: "job 99 not found"),
        Case("result", "99", status: 65, says: "job 99 not found"),
        Case("wait", says: "give job IDs or --batch"),
        Case("wait", "99", status: 65, says: "job 99 not found"),
        Case("wait", "--batch", "none", status: 65, says: "batch 'none' not found"),
        Case("wait", "--stream", "1", "2", says: "--stream requires exactly one job ID"),
        Case("wait", "--stream", "--batch", "b", says: "--stream requires exactly one job ID"),
        Case("wait", "--stream", "1", "--json", says: "--stream cannot be combined with --json"),
        Case("wait", "--stream", "99", status: 65, says: "job 99 not found"),
        Case("cancel", says: "give job IDs or at least one filter"),
        Case("cancel", "1", "--state", "available", says: "job IDs and filters are mutually exclusive"),
        Case("cancel", "99", status: 65, says: "job 99: not found"),
        Case("cancel", "--batch", "nothere", status: 65, says: "batch 'nothere' not found"),
        Case("retry", "--queue", "nothere", status: 65, says: "queue 'nothere' not found"),
        Case("delete", "--batch", "nothere", "--yes", status: 65, says: "batch 'nothere' not found"),
        Case("cancel", "99", "--dry-run", status: 65, says: "job 99 not found"),
        Case("retry", "--again", "--state", "completed", says: "--again requires job IDs"),
        Case("retry", "--again", "99", status: 65, says: "job 99: not found"),
        Case("batches", "show", "nothere", status: 65, says: "batch 'nothere' not found"),
        Case("batches", "--limit", "0", says: "--limit must be at least 1"),
        Case("pause", "a b", says: "invalid queue name 'a b'"),
        Case("pause", "nothere", status: 65, says: "queue 'nothere' not found; --create pauses a new queue"),
        Case("resume", "nothere", status: 65, says: "queue 'nothere' not found"),
        Case("stats", "--interval", "1s", says: "--interval requires --watch"),
        Case("prune", "--older-than", "old", says: "--older-than: 'old' is not a duration"),
        Case("cache", "get", "xyz", says: "'xyz' is not a digest"),
        Case("cache", "get", "abc", status: 65, says: "no cache entry"),
        Case("cache", "warm", says: "missing expected argument '--jsonl <file>'"),
        Case("cache", "warm", "--jsonl", "missing.jsonl", says: "no such file"),
        Case("cache", "warm", "--jsonl", "f", "--no-cache", says: "cannot be used to warm the cache"),
        Case("cache", "why", "1", says: "missing expected argument '<other-id>'"),
        Case("cache", "why", "1", "1", says: "give two different job IDs"),
        Case("cache", "why", "1", "2", status: 65, says: "job 1 not found"),
        Case("providers", "batches", "--limit", "0", says: "--limit must be at least 1"),
        Case("providers", "check", "locl", says: "unknown provider 'locl' (did you mean 'local'?)"),
        Case("providers", "resume", "locl", says: "unknown provider 'locl' (did you mean 'local'?)"),
        Case("providers", "resume", says: "missing expected argument '<name>'"),
        Case("database", "restore", "missing.db", status: 65, says: "no such backup"),
        Case("config", "show", "--config", "missing.yaml", status: 78, says: "missing.yaml"),
        Case("list", "--database", "", status: 78, says: "--database"),
    ]

    @Test("One sentence, the right code, and nothing added", arguments: cases)
    func refuses(_ wrong: Case) async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let ending = try await sandbox.shell("\"$AQ\" " + wrong.arguments.map(Self.quoted).joined(separator: " "))
        #expect(ending.status == wrong.status, "\(ending.error)")
        let sentence = try #require(ending.sentence, "\(ending.error)")
        #expect(sentence.contains(wrong.says), "\(sentence)")
        #expect(!sentence.hasSuffix("."))
        #expect(ending.output.isEmpty)
        let jobs = try await sandbox.run("list", "--json")
        #expect(jobs.output.isEmpty)
    }

    @Test("Bytes that are no text are refused, not repaired")
    func invalidText() async throws {
        let sandbox = try Sandbox()
        let argument = try await sandbox.shell(#""$AQ" enqueue "$(printf 'a\377b')""#)
        #expect(argument.status == 65)
        #expect(argument.sentence?.contains("not valid UTF-8") == true)
        let input = try await sandbox.run("enqueue", "-", input: [0x61, 0xFF, 0x62])
        #expect(input.status == 65)
        #expect(input.sentence?.contains("not valid UTF-8") == true)
        let nul = try await sandbox.run("enqueue", "-", input: [0x61, 0, 0x62])
        #expect(nul.status == 65)
        #expect(nul.sentence?.contains("NUL") == true)
    }

    @Test("A path that is no text is refused; the file of another name is not taken in its place")
    func invalidPath() async throws {
        let sandbox = try Sandbox()
        let variable = try await sandbox.shell(#"AGENT_QUEUE_DATABASE="$(printf '/tmp/q\377.db')" "$AQ" list"#)
        #expect(variable.status == 65)
        #expect(variable.sentence == "environment variable AGENT_QUEUE_DATABASE is not valid UTF-8")
        let folder = try await sandbox.shell(
            #"d="$(printf 'a\377b')"; mkdir "$d"; cd "$d"; "$AQ" enqueue x --database q.db; s=$?; ls; exit $s"#)
        #expect(folder.status == 65)
        #expect(folder.output.isEmpty)
        #expect(folder.sentence == "the path of the current folder is not valid UTF-8; change to another folder")
    }

    @Test("A prompt of 16 MiB goes in, one byte more does not")
    func longPrompt() async throws {
        let sandbox = try Sandbox()
        let most = [UInt8](repeating: 0x61, count: 16 << 20)
        #expect(try await sandbox.run("enqueue", "-", input: most).status == 0)
        let ending = try await sandbox.run("enqueue", "-", input: most + [0x61])
        #expect(ending.status == 65)
        #expect(ending.sentence?.contains("longer than 16MiB") == true)
    }

    @Test(
        "Every command has help with an example",
        arguments: [
            "ask", "enqueue", "list", "show", "result", "results", "wait", "cancel", "retry", "delete", "pause", "resume", "queues",
            "stats", "batches", "batches list", "batches show", "prune",
            "cache", "cache stats", "cache list", "cache get", "cache delete", "cache clear", "cache warm", "cache why",
            "providers",
            "providers list", "providers check", "providers resume", "providers batches",
            "database migrate", "database status", "database check", "database backup", "database restore", "database vacuum", "doctor",
            "config show", "config check", "config init",
        ])
    func help(command: String) async throws {
        let ending = try await Sandbox().shell("\"$AQ\" \(command) --help")
        #expect(ending.status == 0)
        #expect(ending.output.contains("\n  agent-queue \(command)"))
        #expect(ending.error.isEmpty)
    }

    @Test("Completions are made for each shell", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let ending = try await Sandbox().run("--generate-completion-script", shell)
        #expect(ending.status == 0)
        #expect(ending.output.contains("agent-queue"))
    }

    private static func quoted(_ argument: String) -> String {
        "'\(argument.replacing("'", with: "'\\''"))'"
    }
}
