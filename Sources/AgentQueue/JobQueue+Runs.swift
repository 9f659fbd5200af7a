import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import Foundation

extension JobQueue {
    /// Starts a run of a pipeline. Its steps become jobs, which any worker of the database can run.
    /// - Parameters:
    ///   - pipeline: the pipeline.
    ///   - options: options for all jobs of the run.
    ///   - inputs: an object with the values of the pipeline's inputs.
    ///   - uniqueKey: if a run with this key exists and has not failed or been cancelled, that run is returned instead.
    ///   - onFinish: names of configured notifications to send when the run ends.
    ///   - onFailure: names of configured notifications to send if the run fails.
    /// - Throws: `PipelineError` if the inputs do not fit, `InputError`, `StoreError`.
    @discardableResult
    public func start(
        _ pipeline: Pipeline, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), uniqueKey: String? = nil,
        onFinish: [String] = [], onFailure: [String] = []
    ) async throws -> StartedRun {
        var run = try planner.run(pipeline, inputs: inputs, options: options)
        run.uniqueKey = uniqueKey
        run.onFinish = onFinish
        run.onFailure = onFailure
        return try await start(run)
    }

    /// Starts a run of a pipeline or mode by name: from the configuration, the user's folder, or those shipped with the library.
    ///
    /// The parameters are those of ``start(_:inputs:options:uniqueKey:onFinish:onFailure:)-(Pipeline,_,_,_,_,_)``.
    /// - Throws: `PipelineError` if the pipeline cannot be used; `InputError`, `StoreError`.
    @discardableResult
    public func start(
        _ name: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), uniqueKey: String? = nil,
        onFinish: [String] = [], onFailure: [String] = []
    ) async throws -> StartedRun {
        try NotificationName.check(onFinish + onFailure, in: context)
        let catalog = PipelineCatalog(settings, own: own)
        var run = try catalog.resolve(name, inputs: inputs, options: options, now: store.clock.wall())
        run.uniqueKey = uniqueKey
        run.onFinish = onFinish
        run.onFailure = onFailure
        return try await start(run)
    }

    /// Returns a run with its calls and its output; nil if there is none with that id.
    /// - Throws: `StoreError`.
    public func run(_ id: Int64) throws -> RunDetail? { try store.runs.detail(id) }

    /// Returns runs, newest first.
    /// - Parameters:
    ///   - limit: the maximum number of runs.
    ///   - states: only runs in these states; empty for all.
    ///   - name: the name of a pipeline or mode; nil for all.
    ///   - id: only runs with smaller ids; nil starts with the newest.
    /// - Throws: `StoreError`.
    public func runs(states: [RunState] = [], name: String? = nil, limit: Int = 100, before id: Int64? = nil) throws -> [RunSummary] {
        try store.runs.list(states: states, name: name, before: id, limit: limit)
    }

    /// Cancels a run and its jobs. Returns its state before that; nil if there is none with that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func cancel(run id: Int64) async throws -> RunState? { try await store.runs.cancel(run: id) }

    /// Starts a run that was prepared before.
    /// - Throws: `StoreError`.
    package func start(_ run: NewRun) async throws -> StartedRun {
        let started = try await store.runs.start(run)
        // The cache may have answered its first calls already, and may answer those that follow.
        if started.duplicateOf == nil { try await store.runs.resume(run: started.id, with: planner) }
        return started
    }

    /// Waits until a run has ended, and returns it with its output or the reason for its failure. There is no time limit; cancel the task
    /// to stop waiting.
    /// - Throws: `StoreError`, also if there is no such run; the error that ended this queue's own worker; `CancellationError`.
    public func finish(run id: Int64) async throws -> RunDetail {
        for await _ in store.changes(of: .done) {
            guard let state = try store.runs.states(of: [id])[id] else { throw StoreError(.notFound, "there is no run \(id)") }
            if state.isFinal, let run = try store.runs.detail(id) { return run }
            try ownWorkers.check()
        }
        throw CancellationError()
    }

    /// Retries a failed or cancelled run: only what failed, and what depends on it, runs again.
    /// - Throws: `StoreError`: `notFound`, or `conflict` if it has not failed; `PipelineError`.
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

    /// Returns the output of a run, decoded.
    /// - Throws: `StoreError` if the run has not completed; `DecodingError` if the output does not fit the type.
    public func output<Value: Decodable>(of run: Int64, as type: Value.Type = Value.self) throws -> Value {
        guard let output = try store.runs.detail(run)?.output else { throw StoreError(.notFound, "run \(run) has no output") }
        return try JSONDecoder().decode(type, from: Data(output.text.utf8))
    }

    /// Returns the answer to a call or the output of a step of a run, decoded: a `String` is the text itself, any other type is read as JSON.
    /// - Parameters:
    ///   - type: the type to decode.
    ///   - run: the run's id.
    ///   - path: the path of a call in the run, such as `code[0]`, or of a step with several calls, such as `code`.
    /// - Throws: `StoreError` if there is no output; `InputError` if there is no such step; `DecodingError` if the output does not fit the
    ///   type.
    public func output<Value: Decodable>(ofStep path: String, in run: Int64, as type: Value.Type = Value.self) throws -> Value {
        var text = try store.runs.stepOutputs(of: run, [path])[path]
        if text == nil, let snapshot = try store.runs.snapshot(run) {
            text = try planner.output(of: path, in: snapshot).map { $0.string ?? $0.text }
        }
        guard let text else { throw StoreError(.notFound, "run \(run) has no output of '\(path)'") }
        if let text = text as? Value { return text }
        // A text without a value fails in the decoder, which says why.
        let json = (try? ReplyValue(in: text))?.text ?? text
        return try JSONDecoder().decode(type, from: Data(json.utf8))
    }
}
