import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

@testable import AgentQueueReports

/// A folder in which whoever reads the help and the documents could be: with a configuration, files of the names that examples use, and a
/// database in which there are the jobs, runs, memories and schedules that they name. Its models are scripted.
struct ExampleScene {
    let seed: Sandbox

    static func with(_ body: (ExampleScene) async throws -> Void) async throws {
        try await ScriptedServer.withServer(script) { server in
            let scene = ExampleScene(seed: try Sandbox())
            try scene.writeFiles(server.url)
            let ending = try await scene.seed.exampleShell("set -e\n" + preparation, withWorker: true)
            try #require(ending.status == 0, "\(ending.error)")
            try await body(scene)
        }
    }

    /// Runs a line in a copy of the folder.
    func run(_ line: String, preparation: String?, withWorker: Bool) async throws -> Ending {
        let sandbox = try Sandbox()
        try FileManager.default.removeItem(atPath: sandbox.folder)
        try FileManager.default.copyItem(atPath: seed.folder, toPath: sandbox.folder)
        if let preparation {
            let ending = try await sandbox.exampleShell(preparation, withWorker: false)
            try #require(ending.status == 0, "\(preparation): \(ending.error)")
        }
        return try await sandbox.exampleShell(line, withWorker: withWorker)
    }

    // MARK: What is there

    /// As a person would have come by it: jobs 1 to 20 are batch monday, runs 1 to 4 have completed, run 5 has failed.
    private static let preparation = """
        agent-queue enqueue --jsonl seed.jsonl --batch monday
        agent-queue wait --batch monday --timeout 5m
        for task in one two three four; do agent-queue run steps --input task=$task --wait --timeout 5m; done
        ! agent-queue run fails --wait --timeout 5m
        for queue in nightly trial reports watch; do agent-queue enqueue "For $queue" --queue $queue --on-finish broken; done
        agent-queue enqueue 'FAIL this' --max-attempts 1
        agent-queue enqueue 'Later' --delay 1d
        agent-queue memory store --jsonl notes.jsonl --namespace notes
        for namespace in notes default; do
          agent-queue memory store --key office-hours --namespace $namespace 'The office closes at six.'
        done
        agent-queue memory store --key refunds 'Money back within a week.'
        agent-queue memory store --namespace tickets --metadata score=4 --metadata lang=en 'Refund of a ticket.'
        for name in digest second third fourth; do agent-queue schedule add @daily --name $name "Anything new, $name?"; done
        agent-queue memory export > memories.jsonl
        agent-queue database backup queue-2026-12-01.db
        agent-queue keys create local > queue.db.key
        chmod 600 queue.db.key
        """

    private func writeFiles(_ url: String) throws {
        let files = FileManager.default
        for folder in ["bin", "pipelines", "home"] {
            try files.createDirectory(atPath: "\(seed.folder)/\(folder)", withIntermediateDirectories: true)
        }
        for program in [Program.queue, .worker] {
            try files.createSymbolicLink(atPath: "\(seed.folder)/bin/\(program.rawValue)", withDestinationPath: program.path)
        }
        try seed.file("tickets.csv", "id,text\n1,\"The printer, on fire\"\n2,A cat\n")
        try seed.file("bin/git", "#!/bin/sh\necho '+ a line that was added'\n")
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(seed.folder)/bin/git")
        try seed.file("agent-queue.yaml", Self.configuration(url))
        try seed.file("pipelines/steps.yaml", Self.steps)
        try seed.file("review.yaml", Self.steps)
        try seed.file("pipelines/fails.yaml", "steps: { only: { prompt: FAIL, max_attempts: 1 } }\n")
        try seed.file("pipelines/report.yaml", try Example.pipeline("report", in: "docs/pipelines.md"))
        for name in ["report", "minutes", "a", "b", "notes", "question", "task", "api"] {
            try seed.file("\(name).txt", "Some text about \(name).\n")
        }
        try seed.file("spec.md", "# A program that adds two numbers\n")
        try seed.file("person.json", Self.person.text)
        try seed.file("seed.jsonl", (1...20).map { #"{"prompt": "Question \#($0)?"}"# }.joined(separator: "\n"))
        for name in ["questions", "popular", "lines"] {
            try seed.file("\(name).jsonl", (1...3).map { #"{"prompt": "\#(name) \#($0)?"}"# }.joined(separator: "\n"))
        }
        try seed.file("tickets.csv", "id,lang,text\n1,en,\"It does not start, again\"\n2,de,Es ist zu laut\n")
        let batchRequest =
            #""method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#
        try seed.file("batch.jsonl", (1...3).map { #"{"custom_id": "r\#($0)", \#(batchRequest)}"# }.joined(separator: "\n"))
        for name in ["notes", "wiki"] {
            let namespace = name == "wiki" ? #", "namespace": "wiki""# : ""
            try seed.file("\(name).jsonl", (1...20).map { #"{"text": "Note \#($0)."\#(namespace)}"# }.joined(separator: "\n"))
            try Data(Self.vectors(20)).write(to: URL(filePath: "\(seed.folder)/\(name).npy"))
        }
        try Data([0xFF, 0xD8, 0xFF, 0xE0, 0, 16] + Array("JFIF".utf8)).write(to: URL(filePath: "\(seed.folder)/receipt.jpg"))
    }

    static func configuration(_ url: String) -> String {
        """
        default_model: local/smollm2
        providers:
          local: { kind: openai, base_url: "\(url)/v1" }
          local-embeddings: { kind: openai, base_url: "\(url)/v1" }
          openai: { kind: openai, base_url: "\(url)/v1", api_key_env: OPENAI_API_KEY }
          anthropic: { kind: anthropic, base_url: "\(url)", api_key_env: ANTHROPIC_API_KEY }
          claude-code: { command: "\(ClaudeCodeProgram.path ?? "claude")", base_url: "\(url)", api_key_env: ANTHROPIC_API_KEY }
        models:
          openai/gpt-5: { price: { input_per_mtok: 1.25, output_per_mtok: 10 } }
        notifications:
          log: { command: "cat > /dev/null" }
          pager: { command: "cat > /dev/null" }
          broken: { command: "exit 1", max_attempts: 1 }
          slack: { url: "\(url)/hook", body: '{"text": "{{summary}}"}' }
        http: { max_retries: 0 }
        """
    }

    private static let steps = """
        inputs: { task: {} }
        steps:
          plan:
            prompt: "Plan {{inputs.task}}"
            schema:
              type: object
              properties: { parts: { type: array, items: { type: string }, minItems: 2, maxItems: 2 } }
              required: [parts]
          code: { foreach: plan.parts, prompt: "Write {{item}} as part {{number}} of {{inputs.task}}" }
          refine: { needs: [code], repeat: { times: 2 }, steps: { review: { prompt: "Review {{inputs.task}}, round {{round}}" } } }
        """

    private static let person: JSONValue = [
        "type": "object", "properties": ["name": ["type": "string"], "born": ["type": "integer"]], "required": ["name", "born"],
        "additionalProperties": false,
    ]

    /// A NumPy file of vectors of eight numbers.
    private static func vectors(_ count: Int) -> [UInt8] {
        let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count), 8), }"
        let padded = head + String(repeating: " ", count: 117 - head.count) + "\n"
        let numbers = (0..<count * 8).flatMap { withUnsafeBytes(of: Float($0 % 5 + 1).bitPattern.littleEndian, Array.init) }
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count), 0] + Array(padded.utf8) + numbers
    }

    // MARK: The models

    static let script = Script { request in
        let body = (try? JSONValue.parse(request.body)) ?? .null
        if request.path.hasSuffix("/embeddings") { return ScriptedAnswer(json: embeddings(body).text) }
        if request.path.hasSuffix("/models") { return ScriptedAnswer(json: #"{"data": []}"#) }
        if request.path == "/hook" { return ScriptedAnswer(200, json: "{}") }
        guard !request.text.contains("FAIL") else { return ScriptedAnswer(400, json: #"{"error": {"message": "no such luck"}}"#) }
        let schema = body["response_format"]?["json_schema"]?["schema"]
        let text = JSONValue.string(schema.map { SampleAnswer.value(for: $0).text } ?? "An answer.")
        if request.path.hasPrefix("/v1/messages"), body["stream"] == true { return ScriptedAnswer(stream: messageStream(text)) }
        if request.path.hasSuffix("/messages") {
            let answer: JSONValue = [
                "id": "m", "type": "message", "role": "assistant", "content": [["type": "text", "text": text]], "stop_reason": "end_turn",
                "usage": ["input_tokens": 2, "output_tokens": 3],
            ]
            return ScriptedAnswer(json: answer.text)
        }
        guard body["stream"] == true else {
            let answer: JSONValue = [
                "choices": [["index": 0, "message": ["role": "assistant", "content": text], "finish_reason": "stop"]],
                "usage": ["prompt_tokens": 2, "completion_tokens": 3],
            ]
            return ScriptedAnswer(json: answer.text)
        }
        let chunks: [JSONValue] = [
            ["choices": [["index": 0, "delta": ["content": text]]]], ["choices": [["index": 0, "delta": [:], "finish_reason": "stop"]]],
        ]
        return ScriptedAnswer(stream: chunks.map { "data: \($0.text)\n\n" }.joined() + "data: [DONE]\n\n")
    }

    /// An answer as Anthropic streams it, which the Claude Code CLI reads.
    private static func messageStream(_ text: JSONValue) -> String {
        let events: [JSONValue] = [
            [
                "type": "message_start",
                "message": [
                    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": .null,
                    "usage": ["input_tokens": 2, "output_tokens": 1],
                ],
            ],
            ["type": "content_block_start", "index": 0, "content_block": ["type": "text", "text": ""]],
            ["type": "content_block_delta", "index": 0, "delta": ["type": "text_delta", "text": text]],
            ["type": "content_block_stop", "index": 0],
            ["type": "message_delta", "delta": ["stop_reason": "end_turn"], "usage": ["output_tokens": 3]],
            ["type": "message_stop"],
        ]
        return events.map { "event: \($0["type"]?.string ?? "")\ndata: \($0.text)\n\n" }.joined()
    }

    private static func embeddings(_ body: JSONValue) -> JSONValue {
        let count = body["input"]?.array?.count ?? 1
        let data = (0..<count).map { index -> JSONValue in
            ["index": .integer(Int64(index)), "embedding": .array((1...8).map { .double(Double(($0 * (index + 3)) % 7) + 0.5) })]
        }
        return ["data": .array(data), "usage": ["prompt_tokens": 3, "total_tokens": 3]]
    }
}

extension Sandbox {
    /// Runs lines of bash in the folder as its user would, with the programs in `PATH`; beside a worker, if so wanted.
    func exampleShell(_ lines: String, withWorker: Bool, within limit: Duration = .seconds(120)) async throws -> Ending {
        try file("lines.sh", lines)
        let worker = withWorker ? "agent-worker >worker.log 2>&1 & worker=$!\n" : ""
        let stop = withWorker ? "kill $worker; wait $worker" : ""
        return try await shell(
            """
            export PATH="$PWD/bin:$PATH" HOME="$PWD/home" AGENT_QUEUE_DATABASE="$PWD/queue.db" OPENAI_API_KEY=x ANTHROPIC_API_KEY=x
            \(worker)
            bash -o pipefail lines.sh </dev/null; status=$?
            \(stop)
            exit $status
            """, within: limit)
    }
}
