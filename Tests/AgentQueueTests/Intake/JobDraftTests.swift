import AgentQueueModel
import Foundation
import Testing

@testable import AgentQueue

@Suite struct JobDraftTests {
    private static func draft(_ change: (inout JobDraft) -> Void) -> JobDraft {
        var draft = JobDraft()
        draft.prompt = "Hi"
        change(&draft)
        return draft
    }

    private static let tooLong = JobLimits.maxHorizonMilliseconds + 1

    @Test func aPromptAloneHasEveryDefault() throws {
        let job = try outcome(of: Self.draft { _ in }).get()
        #expect(job.body == #"{"messages":[{"role":"user","content":"Hi"}]}"#)
        #expect(job.target == Target("local/smollm2"))
        #expect((job.kind, job.queue, job.priority, job.maxAttempts, job.useCache) == (.generate, "default", 5, 5, true))
        #expect((job.scheduledAt, job.expiresAt, job.timeout, job.uniqueKey) == (nil, nil, nil, nil))
        let request = ModelRequest(kind: .generate, target: job.target, body: try JSONValue.parse(job.body))
        #expect(job.digest == request.digest(identity: "identity of local"))
    }

    @Test func everythingArrives() throws {
        let job = try outcome(
            of: Self.draft {
                $0.system = "Be terse."
                $0.model = "openai/org/gpt-5"
                $0.maxTokens = 10
                $0.temperature = 0.5
                $0.parameters = [.init("top_p", 0.9), .init("stop", .null), .init("n", 1), .init("stream", true)]
                $0.sample = 2
                $0.queue = "q"
                $0.priority = 1
                $0.delay = .seconds(1)
                $0.expiresIn = .seconds(5)
                $0.maxAttempts = 1_000
                $0.timeout = .milliseconds(1)
                $0.uniqueKey = "k"
                $0.customID = "c"
                $0.tags = ["a", "b", "a"]
                $0.batch = "b"
                $0.after = [3, 1, 3]
                $0.metadata = ["x": 1]
                $0.cache = false
            }
        ).get()
        #expect(
            job.body == """
                {"max_tokens":10,"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Hi"}],\
                "sample":2,"temperature":0.5,"top_p":0.9}
                """)
        #expect(job.target == Target(provider: "openai", model: "org/gpt-5"))
        #expect((job.queue, job.priority, job.maxAttempts, job.timeout) == ("q", 1, 1_000, 1))
        #expect((job.scheduledAt, job.expiresAt) == (now + 1_000, now + 5_000))
        #expect((job.uniqueKey, job.customID, job.batch, job.useCache) == ("k", "c", "b", false))
        #expect((job.tags, job.after, job.metadata) == (["a", "b"], [3, 1], ["x": 1]))
    }

    @Test func aPastTimeIsNowAndASampleOfNoughtIsNone() throws {
        let job = try outcome(of: Self.draft { ($0.at, $0.sample, $0.system) = (Date(milliseconds: 5), 0, "") }).get()
        #expect(job.scheduledAt == nil)
        #expect(job == (try outcome(of: Self.draft { $0.delay = .zero }).get()))
        #expect(try outcome(of: Self.draft { $0.at = Date(milliseconds: now + 7) }).get().scheduledAt == now + 7)
    }

    @Test func anEmbedJobHasItsOwnDefaultTarget() throws {
        var draft = JobDraft(kind: .embed)
        draft.inputs = ["a", "b"]
        draft.parameters = [.init("dimensions", 64), .init("encoding_format", "base64")]
        let job = try outcome(of: draft).get()
        #expect(job.target == Target("local-embeddings/e5"))
        #expect(job.body == #"{"dimensions":64,"input":["a","b"]}"#)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let message: String
        let exit: InputError.Kind
        let draft: JobDraft

        init(_ message: String, _ exit: InputError.Kind = .usage, _ change: (inout JobDraft) -> Void) {
            self.message = message
            self.exit = exit
            draft = JobDraftTests.draft(change)
        }

        var testDescription: String { message }
    }

    static let refusals: [Refusal] = [
        Refusal("the prompt is empty", .badData) { $0.prompt = "" },
        Refusal("the prompt is empty", .badData) { $0.prompt = " \n\t\u{A0}\u{3000}" },
        Refusal("the prompt holds a NUL character", .badData) { $0.prompt = "a long enough text with a \0 in it" },
        Refusal("the prompt is 16777217 bytes long (at most 16MiB)", .badData) {
            $0.prompt = String(repeating: "x", count: JobLimits.maxPromptBytes + 1)
        },
        Refusal("the system text is empty", .badData) { $0.system = "  " },
        Refusal("the system text holds a NUL character", .badData) { $0.system = "\0a" },
        Refusal("a job needs a prompt or messages", .badData) { $0.prompt = nil },
        Refusal("prompt and messages cannot both be given") { $0.messages = [["role": "user", "content": "x"]] },
        Refusal("the whole request is longer than 32MiB", .badData) {
            $0.prompt = String(repeating: "\u{7F}", count: 6 << 20)
        },
        Refusal("input belongs to a job of kind embed (use prompt or messages)") { $0.inputs = ["x"] },
        Refusal("priority must be 1 to 9 (lower runs first), not 0") { $0.priority = 0 },
        Refusal("priority must be 1 to 9 (lower runs first), not 10") { $0.priority = 10 },
        Refusal("max_attempts must be 1 to 1000, not 0") { $0.maxAttempts = 0 },
        Refusal("max_attempts must be 1 to 1000, not 1001") { $0.maxAttempts = 1_001 },
        Refusal("delay cannot be negative") { $0.delay = .milliseconds(-1) },
        Refusal("delay 3660d1ms is too long (at most 3660d)") { $0.delay = .milliseconds(tooLong) },
        Refusal("delay 106751991167d7h12m55.807s is too long (at most 3660d)") { $0.delay = .milliseconds(Int64.max) },
        Refusal("delay and at cannot both be given") { ($0.delay, $0.at) = (.milliseconds(1), Date(milliseconds: 1)) },
        Refusal("at 2036-11-29T00:00:00.001Z is too far ahead (at most 3660d)") { $0.at = Date(milliseconds: now + tooLong) },
        Refusal("timeout must be at least 1 ms") { $0.timeout = .zero },
        Refusal("timeout cannot be negative") { $0.timeout = .milliseconds(Int64.min) },
        Refusal("expires_in must be at least 1 ms") { $0.expiresIn = .zero },
        Refusal(
            "the job would expire before it may start (expires_in 1s ends at 2026-11-22T00:00:01.000Z, "
                + "its start is 2026-11-22T00:00:02.000Z)"
        ) { ($0.delay, $0.expiresIn) = (.seconds(2), .seconds(1)) },
        Refusal("queue is empty") { $0.queue = "" },
        Refusal("queue 'a b' cannot hold blanks, commas or control characters") { $0.queue = "a b" },
        Refusal("queue 'a,b' cannot hold blanks, commas or control characters") { $0.queue = "a,b" },
        Refusal("queue 'a\\u{1b}' cannot hold blanks, commas or control characters") { $0.queue = "a\u{1B}" },
        Refusal("queue '\(String(repeating: "q", count: 80))…' is longer than 128 bytes") {
            $0.queue = String(repeating: "q", count: 129)
        },
        Refusal("batch is empty") { $0.batch = " " },
        Refusal("custom_id 'c\\u{0}' holds a NUL character") { $0.customID = "c\0" },
        Refusal("unique_key '\(String(repeating: "k", count: 80))…' is longer than 512 bytes") {
            $0.uniqueKey = String(repeating: "k", count: 513)
        },
        Refusal("a job has at most 32 tags, not 33") { $0.tags = (1...33).map { "t\($0)" } },
        Refusal("tag is empty") { $0.tags = ["a", ""] },
        Refusal("tag '\(String(repeating: "t", count: 80))…' is longer than 128 bytes") {
            $0.tags = [String(repeating: "t", count: 129)]
        },
        Refusal("a job waits for at most 1000 others, not 1001") { $0.after = Array(1...1_001) },
        Refusal("after: 0 is not a job's id") { $0.after = [1, 0] },
        Refusal("metadata must be an object, not a list", .badData) { $0.metadata = [1] },
        Refusal("metadata holds a NUL character", .badData) { $0.metadata = ["a": ["b\0"]] },
        Refusal("metadata is longer than 64KiB of JSON", .badData) {
            $0.metadata = ["a": .string(String(repeating: "x", count: 64 << 10))]
        },
        Refusal("temperature must be 0 to 2, not -0.1") { $0.temperature = -0.1 },
        Refusal("temperature must be 0 to 2, not 2.1") { $0.temperature = 2.1 },
        Refusal("temperature must be 0 to 2, not nan") { $0.temperature = .nan },
        Refusal("temperature must be 0 to 2, not inf") { $0.temperature = .infinity },
        Refusal("max_tokens must be 1 to 10000000, not 0") { $0.maxTokens = 0 },
        Refusal("max_completion_tokens must be a whole number of at least 1", .badData) {
            $0.parameters = [.init("max_completion_tokens", 0)]
        },
        Refusal("n must be 1 (for several answers, add the job several times with sample 1, 2, …)", .badData) {
            $0.parameters = [.init("n", 2)]
        },
        Refusal("messages cannot be given as another parameter", .badData) { $0.parameters = [.init("messages", [])] },
        Refusal("'stop' holds a NUL character", .badData) { $0.parameters = [.init("stop", ["\0"])] },
        Refusal("sample must be 0 to 1000000, not -1") { $0.sample = -1 },
        Refusal("model 'gpt-5' is not a target (write provider/model, such as local/smollm2)") { $0.model = "gpt-5" },
        Refusal("model '/x' is not a target (write provider/model, such as local/smollm2)") { $0.model = "/x" },
        Refusal("model 'a/b c' is not a target (write provider/model, such as local/smollm2)") { $0.model = "a/b c" },
        Refusal("unknown provider 'opena' in model 'opena/gpt-5' (did you mean 'openai'?)") { $0.model = "opena/gpt-5" },
        Refusal("unknown provider 'zzz' in model 'zzz/y' (configured: local, openai, anthropic, local-embeddings)") { $0.model = "zzz/y" },
        Refusal("prompt has no meaning for an embed job") { ($0.kind, $0.inputs) = (.embed, ["x"]) },
        Refusal("temperature has no meaning for an embed job") {
            ($0.kind, $0.inputs, $0.prompt, $0.temperature) = (.embed, ["x"], nil, 1)
        },
        Refusal("an embed job needs at least one text as input", .badData) { ($0.kind, $0.prompt) = (.embed, nil) },
        Refusal("input 2 is empty", .badData) { ($0.kind, $0.prompt, $0.inputs) = (.embed, nil, ["a", ""]) },
        Refusal("the input holds a NUL character", .badData) { ($0.kind, $0.prompt, $0.inputs) = (.embed, nil, ["a\0"]) },
        Refusal("an embed job takes at most 2048 texts, not 2049", .badData) {
            ($0.kind, $0.prompt, $0.inputs) = (.embed, nil, Array(repeating: "a", count: 2_049))
        },
    ]

    @Test(arguments: refusals) func refuses(_ refusal: Refusal) {
        guard case .failure(let error) = outcome(of: refusal.draft) else {
            Issue.record("accepted")
            return
        }
        #expect(error.message == refusal.message)
        #expect(error.kind == refusal.exit)
    }

    @Test func boundsAreInclusive() throws {
        _ = try outcome(
            of: Self.draft {
                $0.prompt = String(repeating: "x", count: JobLimits.maxPromptBytes)
                $0.delay = .milliseconds(JobLimits.maxHorizonMilliseconds)
                $0.tags = (1...32).map { "\($0)" + String(repeating: "t", count: 126) }
                $0.queue = String(repeating: "q", count: 128)
                $0.temperature = 2
                $0.maxTokens = 1
                $0.priority = 9
            }
        ).get()
    }

    @Test(arguments: [
        "-x", "--", "--help", "\u{1B}[31mred\u{1B}[0m", "a\u{202E}b\u{2066}c", "line\r\nline\n", " padded ", "e\u{301} é", "\u{FEFF}bom",
        "\"quoted\\\"", "\u{7F}\u{1}", "𝔘𝔫𝔦", "{\"not\": \"parsed\"}",
    ])
    func aPromptKeepsItsBytes(_ text: String) throws {
        let job = try outcome(of: Self.draft { ($0.prompt, $0.tags, $0.customID) = (text, [text], text) }).get()
        let stored = try JSONValue.parse(job.body)["messages"]?.array?.first?["content"]?.string
        #expect(stored.map { Array($0.utf8) } == Array(text.utf8))
        #expect(Array(job.tags[0].utf8) == Array(text.utf8))
        #expect(job.customID.map { Array($0.utf8) } == Array(text.utf8))
        let line = JSONValue.object([.init("prompt", .string(text))]).text
        #expect(try body(line) == job.body)
    }

    @Test func whatTravelsAloneDoesNotChangeTheDigest() throws {
        let plain = try outcome(of: Self.draft { _ in }).get()
        let other = try outcome(of: Self.draft { ($0.priority, $0.queue, $0.parameters) = (1, "q", [.init("stream", true)]) }).get()
        let sampled = try outcome(of: Self.draft { $0.sample = 1 }).get()
        #expect(plain.digest == other.digest)
        #expect(plain.digest != sampled.digest)
        #expect(plain.digest.count == 32)
    }

    @Test func errorsHoldNoControlCharacters() {
        let error = InputError("a\u{1B}[2J\u{202E}\nb" + String(repeating: "x", count: 5_000), kind: .usage)
        #expect(error.description.hasPrefix("a\\u{1b}[2J\\u{202e}\\u{a}bxxx"))
        #expect(error.description.unicodeScalars.count < 2_100)
        #expect(error.inLine(3).kind == .badData)
    }

    @Test func textsAreReadAsValues() throws {
        #expect(try JobText.duration("1h30m", named: "delay") == .seconds(5_400))
        #expect(try JobText.duration("90", named: "delay") == .seconds(90))
        #expect(throws: InputError("delay '-5s' is negative; a duration cannot be", kind: .usage)) {
            try JobText.duration("-5s", named: "delay")
        }
        #expect(try JobText.time("2026-11-22T00:00Z", named: "at") == Date(milliseconds: now))
        #expect(throws: InputError.self) { try JobText.time("tomorrow", named: "at") }
        #expect(try JobText.metadata(["a=b=c", "é=", "x= y"]) == ["a": "b=c", "é": "", "x": " y"])
        let none = try JobText.metadata([])
        #expect(none == Optional<JSONValue>.none)
        for wrong in [["a"], ["=b"], ["a=1", "a=2"]] { #expect(throws: InputError.self) { try JobText.metadata(wrong) } }
    }
}
