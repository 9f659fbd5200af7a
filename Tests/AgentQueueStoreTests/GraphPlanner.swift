import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Runs graphs of steps, `{"name": {"needs": […], "optional": bool}}`: a step begins when those it needs have ended, and one that fails
/// and is not optional fails the run. A second, plain reading of what pipelines are.
struct GraphPlanner: RunPlanner {
    struct Broken: Error {}

    /// The most steps that it begins at once.
    var most = 100
    /// Whether plans cannot be made.
    var isBroken = false
    /// What a step's job asks.
    var job: @Sendable (RunSnapshot, String) -> NewJob = { run, path in .asking("\(run.name) \(path)") }

    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance {
        guard !isBroken else { throw Broken() }
        var advance = RunAdvance(run: run.id, version: run.version)
        advance.told = run.ends + (ended.map { [$0] } ?? [])
        let states = Self.states(run, advance.told)
        let graph = try JSONValue.parse(run.definition).members ?? []
        if let failed = graph.first(where: { states[$0.key] == .failed && $0.value["optional"]?.bool != true }) {
            advance.end = .failed("\(failed.key) failed")
            return advance
        }
        try begin(run, states, &advance)
        if advance.begun.isEmpty, !states.values.contains(.running) {
            advance.end = .completed(.object(graph.map { .init($0.key, .string(states[$0.key]?.rawValue ?? "")) }))
        }
        return advance
    }

    func retry(_ run: RunSnapshot) throws -> RunAdvance {
        var advance = RunAdvance(run: run.id, version: run.version)
        advance.told = run.ends
        advance.resumes = true
        var states = Self.states(run, run.ends)
        advance.revived = states.filter { $0.value == .failed }.map(\.key).sorted()
        for path in advance.revived { states[path] = .running }
        try begin(run, states, &advance)
        // Whatever is left is decided by the next plan.
        advance.isDue = true
        return advance
    }

    private static func states(_ run: RunSnapshot, _ ends: [StepEnd]) -> [String: StepState] {
        var states = run.steps.mapValues(\.state)
        for end in ends {
            if case .completed = end.outcome { states[end.path] = .completed } else { states[end.path] = .failed }
        }
        return states
    }

    private func begin(_ run: RunSnapshot, _ states: [String: StepState], _ advance: inout RunAdvance) throws {
        let ready = (try JSONValue.parse(run.definition).members ?? []).filter { step in
            let needs = step.value["needs"]?.array?.compactMap(\.string) ?? []
            return states[step.key] == nil && needs.allSatisfy { states[$0] == .completed || states[$0] == .failed }
        }
        advance.begun = ready.prefix(most).map { NewStep(path: $0.key, job: job(run, $0.key)) }
        advance.isDue = ready.count > most
    }
}

extension NewRun {
    /// A run of a graph, with its first calls.
    static func graph(_ definition: String, name: String = "g", _ planner: GraphPlanner = GraphPlanner()) throws -> NewRun {
        var digest = [UInt8](repeating: 0, count: 32)
        for (place, byte) in definition.utf8.enumerated() { digest[place % 32] = digest[place % 32] &* 31 &+ byte }
        var run = NewRun(name: name, digest: digest, definition: definition, inputs: ["x": 1], options: RunOptions())
        run.first = try planner.plan(
            RunSnapshot(id: 0, name: name, digest: digest, definition: definition, inputs: run.inputs, options: run.options), ended: nil)
        return run
    }
}

extension Fixture {
    /// Settles a step's job, with what its run does next.
    @discardableResult
    func settleStep(
        _ job: ClaimedJob, _ failure: FailureClass? = nil, by planner: GraphPlanner = GraphPlanner(), in store: QueueStore? = nil
    ) async throws -> SettleResult {
        let store = store ?? self.store
        var request = failure.map { SettleRequest.failure(job, $0, now: clock.wall) } ?? .answer(job)
        guard let run = job.runID, request.settlement.state.isFinal else { return try await store.claims.settle(request) }
        while true {
            let snapshot = try #require(try store.runs.snapshot(run))
            let path = try #require(snapshot.steps.values.first { $0.jobID == job.id }).path
            let ended = StepEnd(
                path: path, jobID: job.id, outcome: failure == nil ? .completed(text: "yes") : .failed(message: "it failed"))
            request.advance = snapshot.state.isFinal ? snapshot.recordingEnds(and: ended) : try planner.plan(snapshot, ended: ended)
            let result = try await store.claims.settle(request)
            if result != .stale { return result }
        }
    }

    /// Claims and completes whatever is ready, by the way of the worker's settlements, until nothing is.
    func workOff(by planner: GraphPlanner = GraphPlanner(), failing: Set<String> = []) async throws {
        while true {
            let jobs = try await claim()
            guard !jobs.isEmpty else { return }
            for job in jobs { try await settleStep(job, try failing.contains(path(of: job.id)) ? .permanent : nil, by: planner) }
        }
    }

    func path(of job: Int64) throws -> String { try self.job(job).step ?? "" }

    func run(_ id: Int64) throws -> RunDetail { try #require(try store.runs.detail(id)) }

    func snapshot(_ run: Int64) throws -> RunSnapshot { try #require(try store.runs.snapshot(run)) }

    func resume(_ planner: GraphPlanner = GraphPlanner()) async throws {
        while try await store.runs.resume(runs: planner) {}
    }
}
