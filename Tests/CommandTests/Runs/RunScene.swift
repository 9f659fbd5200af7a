import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

/// A sandbox with pipelines, a scripted model, and a real worker.
struct RunScene {
    let sandbox: Sandbox
    /// What the model does with prompts that begin with WAIT.
    let gate: Gate
    /// Whether prompts that begin with FAIL are answered after all.
    let mended: Counter
    let server: ScriptedServer

    /// What no terminal and no chart should see as it is.
    static let hostile = "\u{1B}[31mred\"] --> x{{inputs.task}}%%{init}%%\u{202E}<b>"

    /// Lends a scene whose worker runs; with `works: false` none does.
    static func with(works: Bool = true, _ body: (RunScene) async throws -> Void) async throws {
        let (gate, mended) = (Gate(), Counter())
        try await ScriptedServer.withServer(script(gate, mended)) { server in
            let sandbox = try Sandbox()
            try sandbox.file("agent-queue.yaml", configuration(server))
            try FileManager.default.createDirectory(atPath: "\(sandbox.folder)/pipelines", withIntermediateDirectories: true)
            for (name, text) in pipelines { try sandbox.file("pipelines/\(name).yaml", text) }
            let scene = RunScene(sandbox: sandbox, gate: gate, mended: mended, server: server)
            guard works else { return try await body(scene) }
            let worker = try ChildProcess(
                "/bin/sh", ["-c", "cd \"$0\" && exec \"$1\"", sandbox.folder, Program.worker.path], environment: sandbox.environment)
            defer { worker.send(SIGKILL) }
            try await body(scene)
            gate.open()
            worker.send(SIGTERM)
            #expect(try await worker.end() == .exit(0))
        }
    }

    private static func configuration(_ server: ScriptedServer) -> String {
        """
        default_model: scripted/tiny
        providers:
          scripted: { kind: openai, base_url: '\(server.url)/v1' }
        models:
          scripted/tiny: { price: { input_per_mtok: 1000000, output_per_mtok: 0 } }
        roles:
          writer: { system: "You write.", temperature: 0.5 }
        modes:
          short: { pipeline: report, inputs: { rounds: 1 } }
        http: { max_retries: 0 }
        """
    }

    private static func script(_ gate: Gate, _ mended: Counter) -> Script {
        Script { request in
            let messages = (try? JSONValue.parse(request.body))?["messages"]?.array ?? []
            let prompt = messages.last?["content"]?.string ?? ""
            if prompt.hasPrefix("FAIL"), mended.count == 0 { return ScriptedAnswer(400, json: #"{"error": {"message": "no such luck"}}"#) }
            let text =
                switch prompt.prefix(4) {
                case "PLAN": JSONValue.object([.init("parts", ["one", .string(hostile), "three"])]).text
                case "JUDG": #"{"confidence": \#(prompt.contains("round 1") ? 0.4 : 0.9)}"#
                default: "answer to \(prompt)"
                }
            let reply: JSONValue = [
                "choices": [["index": 0, "message": ["role": "assistant", "content": .string(text)], "finish_reason": "stop"]],
                "usage": ["prompt_tokens": 2, "completion_tokens": 3],
            ]
            return ScriptedAnswer(json: reply.text, after: prompt.hasPrefix("WAIT") ? gate : nil)
        }
    }

    private static let pipelines = [
        "report": """
        description: Plans and writes.
        inputs:
          task:   { type: text, description: What to write. }
          rounds: { type: integer, default: 3 }
        steps:
          plan:
            prompt: "PLAN {{inputs.task}}"
            schema: { type: object, properties: { parts: { type: array, items: { type: string } } }, required: [parts] }
          write: { role: writer, foreach: plan.parts, prompt: "Write {{item}}" }
          refine:
            needs: [write]
            repeat: { times: inputs.rounds, until: judge.confidence >= 0.8, improves: judge.confidence, patience: 2 }
            steps:
              revise: { when: round > 1, prompt: "Revise, round {{round}}" }
              judge:
                prompt: "JUDGE round {{round}} {{revise}}"
                schema: { type: object, properties: { confidence: { type: number } }, required: [confidence] }
        output: "{{refine.judge.confidence}}: {{#write}}{{.}}; {{/write}}"
        """,
        "fragile": """
        inputs: { word: { type: text, default: x } }
        steps:
          first: { prompt: "Say {{inputs.word}}" }
          second: { prompt: "FAIL {{first}}", max_attempts: 1 }
          third: { prompt: "Then {{second}}" }
        """,
        "slow": """
        inputs: { word: { type: text, default: x } }
        steps:
          first: { prompt: "WAIT {{inputs.word}}" }
          second: { prompt: "Then {{first}}" }
        """,
        "typed": """
        inputs:
          text: { type: text }
          count: { type: integer, default: 1 }
          share: { type: number, default: 0.5 }
          loud: { type: boolean, default: false }
          docs: { type: list, default: [] }
          schema: { type: object, default: {} }
        steps:
          only: { prompt: "{{inputs.text}} {{inputs.count}} {{inputs.share}} {{inputs.loud}} {{inputs.docs}} {{inputs.schema}}" }
        """,
    ]
}
