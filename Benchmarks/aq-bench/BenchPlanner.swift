import JobModel

/// Runs of so many steps, in a chain or side by side: `{"chain": 10}`, `{"parallel": 5}`. No two runs ask the same.
struct BenchPlanner: RunPlanner {
    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance {
        let shape = try JSONValue.parse(run.definition)
        var advance = RunAdvance(run: run.id, version: run.version)
        advance.told = run.ends + (ended.map { [$0] } ?? [])
        let completed = advance.told.count + run.steps.values.count { $0.state == .completed }
        let salt = (run.inputs["number"]?.int ?? 0) * 100
        if let length = shape["chain"]?.int {
            if completed < length { advance.begun = [Self.step(completed, salt)] }
            if completed == length { advance.end = .completed("done") }
        } else if let width = shape["parallel"]?.int {
            if run.steps.isEmpty { advance.begun = (0..<width).map { Self.step($0, salt) } }
            if completed == width { advance.end = .completed("done") }
        }
        return advance
    }

    private static func step(_ number: Int, _ salt: Int) -> NewStep {
        NewStep(path: "step\(number)", job: BenchJobs.make(1_000_000 + salt + number))
    }

    /// A run with its first calls.
    func run(_ shape: String, number: Int) throws -> NewRun {
        let digest = Array(shape.utf8) + [UInt8](repeating: 0, count: 32 - shape.utf8.count)
        var run = NewRun(
            name: "bench", digest: digest, definition: shape, inputs: ["number": .integer(Int64(number))], options: .object([]))
        run.first = try plan(
            RunSnapshot(id: 0, name: "bench", digest: digest, definition: shape, inputs: run.inputs, options: run.options), ended: nil)
        return run
    }
}
