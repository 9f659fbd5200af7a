import AgentQueueModel

@testable import AgentQueueStore

/// Runs of so many steps, one after the other: each is asked what the one before it answered.
struct ChainPlanner: RunPlanner {
    struct Broken: Error {}

    let length: Int
    var isBroken = false

    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance {
        guard !isBroken else { throw Broken() }
        var advance = RunAdvance(run: run.id, version: run.version)
        advance.told = run.ends + (ended.map { [$0] } ?? [])
        guard let last = advance.told.last else {
            advance.begun = [step(1, "begin")]
            return advance
        }
        switch last.outcome {
        case .failed(let message): advance.end = .failed(message)
        case .completed(let text):
            guard let number = Int(last.path), number < length else {
                advance.end = .completed(.string(text))
                break
            }
            advance.begun = [step(number + 1, text)]
        }
        return advance
    }

    private func step(_ number: Int, _ text: String) -> NewStep {
        let request = ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "m"),
            body: ["messages": [["role": "user", "content": .string(text)]]])
        return NewStep(
            path: "\(number)",
            job: NewJob(kind: .generate, target: request.target, body: request.storedBody, digest: request.digest(identity: "scripted")))
    }

    /// A run with its first call.
    func run() throws -> NewRun {
        let digest = [UInt8](repeating: UInt8(length), count: 32)
        var run = NewRun(name: "chain", digest: digest, definition: "{}", inputs: .object([]), options: RunOptions())
        var first = self
        first.isBroken = false
        run.first = try first.plan(
            RunSnapshot(id: 0, name: "chain", digest: digest, definition: "{}", inputs: run.inputs, options: run.options), ended: nil)
        return run
    }
}
