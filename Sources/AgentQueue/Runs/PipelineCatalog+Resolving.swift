import Crypto
import Foundation
import JobModel
import Pipelines
import Settings

extension PipelineCatalog {
    /// A run of what has a name, ready to be started.
    /// - Parameters:
    ///   - inputs: an object; what it does not say is as the pipeline or the mode says.
    ///   - planner: decides its first calls; nil leaves that to whoever carries runs on.
    ///   - now: wall clock, ms.
    /// - Throws: `PipelineError` for a pipeline that cannot be used; `InputError` for a name that nothing has, and for inputs and options
    ///   that are wrong.
    public func resolve(
        _ name: String, inputs: JSONValue, options: RunOptions = RunOptions(), planner: (any RunPlanner)? = nil, now: Int64
    ) throws -> NewRun {
        try resolve(try pipeline(named: name), as: name, inputs: inputs, options: options, planner: planner, now: now)
    }

    /// A run of a pipeline, ready to be started. As ``resolve(_:inputs:options:planner:now:)``.
    public func resolve(
        _ pipeline: Pipeline, as name: String, inputs: JSONValue, options: RunOptions = RunOptions(), planner: (any RunPlanner)? = nil,
        now: Int64
    ) throws -> NewRun {
        try check(options, now: now)
        let inputs = try checked(inputs, of: pipeline)
        let definition = pipeline.definition
        var run = NewRun(
            name: name, digest: Array(SHA256.hash(data: Data(definition.utf8))), definition: definition, inputs: inputs,
            options: options.json)
        if let planner {
            let snapshot = RunSnapshot(
                id: 0, name: name, digest: run.digest, definition: definition, inputs: inputs, options: run.options)
            run.first = try planner.plan(snapshot, ended: nil)
        } else {
            run.first.isDue = true
        }
        return run
    }

    /// - Throws: `InputError`, also for inputs that are too large together.
    private func checked(_ inputs: JSONValue, of pipeline: Pipeline) throws(InputError) -> JSONValue {
        let checked: JSONValue
        do {
            checked = try pipeline.checked(inputs: inputs)
        } catch {
            throw InputError(error.description, exit: .badData)
        }
        guard checked.utf8(sorted: false).count <= JobLimits.maxRequestBytes else {
            let limit = ByteCountText.format(Int64(JobLimits.maxRequestBytes))
            throw InputError("the inputs are longer than \(limit) together", exit: .badData)
        }
        return checked
    }

    /// What every job of the run would be refused for is refused before there is a run.
    private func check(_ options: RunOptions, now: Int64) throws(InputError) {
        var draft = JobDraft()
        draft.prompt = "a step"
        draft.queue = options.queue
        draft.priority = options.priority
        draft.tags = options.tags
        draft.model = options.model
        try draft.check(in: settings.intakeContext(now: now))
    }
}
