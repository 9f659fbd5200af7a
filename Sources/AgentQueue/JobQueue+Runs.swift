import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import Foundation

extension JobQueue {
    /// Begins a run of a pipeline. Its steps are jobs, which any worker of the database runs.
    /// - Parameters:
    ///   - pipeline: what is run.
    ///   - options: what holds for all jobs of the run.
    ///   - inputs: an object, by the names of the pipeline's inputs.
    ///   - uniqueKey: returns the run that already has it, unless that has failed or was cancelled.
    ///   - onFinish: who is told of its end: names of notifications of the configuration.
    /// - Throws: `PipelineError` where the inputs do not fit, `InputError`, `StoreError`.
    @discardableResult
    public func start(
        _ pipeline: Pipeline, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), uniqueKey: String? = nil,
        onFinish: [String] = []
    ) async throws -> StartedRun {
        var run = try planner.run(pipeline, inputs: inputs, options: options)
        run.uniqueKey = uniqueKey
        run.onFinish = onFinish
        return try await start(run)
    }

    /// Begins a run of a pipeline or mode that has a name: of the configuration, of the user's folder, or shipped with the library.
    /// - Parameters: as ``start(_:inputs:options:uniqueKey:onFinish:)-(Pipeline,_,_,_,_)``.
    /// - Throws: `PipelineError` where the pipeline cannot be used; `InputError`, `StoreError`.
    @discardableResult
    public func start(
        _ name: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), uniqueKey: String? = nil,
        onFinish: [String] = []
    ) async throws -> StartedRun {
        try NotificationName.check(onFinish, in: context)
        let catalog = PipelineCatalog(settings, own: own)
        var run = try catalog.resolve(name, inputs: inputs, options: options, now: store.clock.wall())
        run.uniqueKey = uniqueKey
        run.onFinish = onFinish
        return try await start(run)
    }

    /// A run, with its calls and its output; nil where there is none of that id.
    /// - Throws: `StoreError`.
    public func run(_ id: Int64) throws -> RunDetail? { try store.runs.detail(id) }

    /// Runs, the newest first.
    /// - Parameters:
    ///   - limit: at most so many.
    ///   - states: empty is all.
    ///   - name: the pipeline's or mode's; nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    /// - Throws: `StoreError`.
    public func runs(states: [RunState] = [], name: String? = nil, limit: Int = 100, before id: Int64? = nil) throws -> [RunSummary] {
        try store.runs.list(states: states, name: name, before: id, limit: limit)
    }

    /// Cancels a run and its jobs. Returns its state before that; nil where there is none of that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func cancel(run id: Int64) async throws -> RunState? { try await store.runs.cancel(run: id) }

    /// Begins a run that was made before.
    /// - Throws: `StoreError`.
    package func start(_ run: NewRun) async throws -> StartedRun {
        let started = try await store.runs.start(run)
        // The cache may have answered its first calls, and those that follow.
        if started.duplicateOf == nil { try await store.runs.resume(run: started.id, with: planner) }
        return started
    }

    /// Waits until a run has ended, and returns it with its output or its reason. Waits as long as it takes: cancel the task to give up.
    /// - Throws: `StoreError`, also where there is no such run; what ended this queue's own worker; `CancellationError`.
    public func finish(run id: Int64) async throws -> RunDetail {
        for await _ in store.changes(of: .done) {
            guard let state = try store.runs.states(of: [id])[id] else { throw StoreError(.notFound, "there is no run \(id)") }
            if state.isFinal, let run = try store.runs.detail(id) { return run }
            try ownWorkers.check()
        }
        throw CancellationError()
    }

    /// Takes up a run again that failed or was cancelled: only what failed, and what depended on it, is done anew.
    /// - Throws: `StoreError`: `notFound`, or `conflict` where it has not failed; `PipelineError`.
    public func retry(run id: Int64) async throws {
        while true {
            guard let snapshot = try store.runs.snapshot(id) else { throw StoreError(.notFound, "there is no run \(id)") }
            guard snapshot.state == .failed || snapshot.state == .cancelled else {
                throw StoreError(
                    .conflict, "run \(id) is \(snapshot.state.rawValue): only one that failed or was cancelled can be retried")
            }
            if try await store.runs.advance(try planner.retry(snapshot)) { break }
        }
        try await store.runs.resume(run: id, with: planner)
    }

    /// What a run brought, read as a value.
    /// - Throws: `StoreError` where it has not completed; `DecodingError` where it is something else.
    public func output<Value: Decodable>(of run: Int64, as type: Value.Type = Value.self) throws -> Value {
        guard let output = try store.runs.detail(run)?.output else { throw StoreError(.notFound, "run \(run) has no output") }
        return try JSONDecoder().decode(type, from: Data(output.text.utf8))
    }

    /// What a call of a run was answered with: as it is for a `String`, else read as JSON.
    /// - Parameters:
    ///   - type: what it is read as.
    ///   - run: the run's id.
    ///   - path: the call's place in the run, such as `code[0]`.
    /// - Throws: `StoreError` where it was not answered; `DecodingError` where it is something else.
    public func output<Value: Decodable>(ofStep path: String, in run: Int64, as type: Value.Type = Value.self) throws -> Value {
        guard let text = try store.runs.stepOutputs(of: run, [path])[path] else {
            throw StoreError(.notFound, "run \(run) has no answer of '\(path)'")
        }
        if let text = text as? Value { return text }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
