import AgentQueueModel
import AgentQueuePipelines
import AgentQueueTestSupport
import Foundation
import Testing

/// Random graphs with random failures, told of their calls' ends in random order and company, against the plain interpreter.
@Suite struct PropertyTests {
    /// How many graphs each of the sixteen parts has.
    private static let graphs = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] == nil ? 60 : 1_000
    private static let inputs: JSONValue = ["items": ["x", "y", "z"]]

    /// What an undisturbed run comes to.
    private struct Expected {
        var output: JSONValue?
        var calls: PlainRun

        init(_ steps: [PlainStep], _ model: PlainModel) {
            calls = PlainRun(model)
            let values = calls.run(steps, "", .init(values: ["inputs": PropertyTests.inputs])).values
            guard let values else { return }
            let needed = steps.reduce(into: Set<String>()) { $0.formUnion($1.roots) }
            let last = steps.map(\.name).filter { !needed.contains($0) }
            output = last.count == 1 ? values[last[0]] : .object(last.map { .init($0, values[$0] ?? .null) })
        }
    }

    /// Tells a run of its calls' ends, some at a time, until it ends.
    private struct Driver {
        var run: Runs
        var model: PlainModel
        var random: SeededGenerator
        /// Calls that run, with whether they were asked for JSON.
        var running: [String: Bool] = [:]
        var prompts: [String: String] = [:]
        var ended: Set<String> = []

        mutating func note(_ calls: [StepCall], _ expected: PlainRun) {
            for call in calls {
                running[call.path] = call.schema != nil
                prompts[call.path] = call.prompt
                let early = (expected.prerequisites[call.path] ?? []).filter { running[$0] != nil }
                #expect(early.isEmpty, "\(call.path) begins before the end of \(early)")
            }
        }

        /// The ends of some calls that run.
        mutating func some() -> [(String, StepEnd.Outcome)] {
            let all = running.keys.sorted().shuffled(using: &random)
            let chosen = all.prefix(Int.random(in: 1...all.count, using: &random))
            return chosen.map { path in
                let isJSON = running.removeValue(forKey: path) ?? false
                ended.insert(path)
                return (path, model.answer(path, isJSON: isJSON))
            }
        }

        mutating func finish(_ expected: PlainRun) {
            note(run.go(), expected)
            while run.end == nil {
                guard !running.isEmpty else { return }
                let ends = some()
                note(run.tell(ends), expected)
            }
        }
    }

    private static func check(_ driver: Driver, _ expected: Expected, seed: UInt64) {
        guard let end = driver.run.end else {
            Issue.record("seed \(seed): the run stalls")
            return
        }
        let begun = Set(driver.run.snapshot.steps.keys)
        let possible = Set(expected.calls.prompts.keys)
        #expect(begun.isSubset(of: possible), "seed \(seed): \(begun.subtracting(possible)) should not begin")
        for path in begun {
            #expect(driver.prompts[path] == expected.calls.prompts[path], "seed \(seed): \(path)")
        }
        guard let output = expected.output else {
            #expect(end.state == .failed, "seed \(seed)")
            return
        }
        #expect(end.output?.isEqual(to: output) == true, "seed \(seed): \(end) should be \(output)")
        #expect(possible.subtracting(expected.calls.uncertain).isSubset(of: begun), "seed \(seed)")
        #expect(driver.running.isEmpty, "seed \(seed): calls outlive the run")
    }

    @Test(arguments: 0..<16)
    func everyGraphEndsAsThePlainInterpreterSays(_ part: UInt64) throws {
        var (completed, failed, retried) = (0, 0, 0)
        for number in 0..<Self.graphs {
            let seed = part * 1_000 + UInt64(number)
            var graph = RandomGraph(seed: seed)
            let steps = graph.steps()
            let all = steps + [Self.user(of: steps)]
            // Read from what a run keeps, as every engine does.
            let written = try Pipeline("p", inputs: [PipelineInput("items", .list)]) {
                all.map(\.step)
            }
            let pipeline = try Pipeline(definition: written.definition)
            let faulty = PlainModel(seed: seed, isFaulty: true)
            let expected = Expected(all, faulty)
            var driver = Driver(run: try Runs(pipeline, inputs: Self.inputs), model: faulty, random: SeededGenerator(seed: seed ^ 0xABCD))
            driver.finish(expected.calls)
            Self.check(driver, expected, seed: seed)
            guard driver.run.end?.state == .failed else {
                completed += 1
                continue
            }
            failed += 1
            // Calls that ran on may have ended before the retry, or end after it.
            if !driver.running.isEmpty, seed.isMultiple(of: 2) { driver.run.note(driver.some()) }
            driver.model.isFaulty = false
            let sound = Expected(all, driver.model)
            let decision = driver.run.retry()
            for path in decision.forgotten { driver.running[path] = nil }
            for path in decision.revived { driver.running[path] = sound.calls.isJSON[path] ?? false }
            driver.note(decision.calls, sound.calls)
            driver.finish(sound.calls)
            Self.check(driver, sound, seed: seed)
            retried += 1
        }
        // The graphs are of every kind.
        #expect(completed > 5 && failed > 5 && retried == failed)
    }

    /// A step that uses the input, so that none is unused.
    private static func user(of steps: [PlainStep]) -> PlainStep {
        // Every other one leaves the other steps to be ends of their own.
        PlainStep(
            name: "last", references: ["inputs.items"], needs: steps.count.isMultiple(of: 2) ? steps.map(\.name) : [], when: nil,
            policy: .skip,
            work: .call(PlainCall(isJSON: false)))
    }
}
