import JobModel
import Pipelines
import Settings

extension PipelineCatalog {
    /// A run of what has a name, with its first calls, ready to be started.
    /// - Parameters:
    ///   - inputs: an object; what it does not say is as the pipeline or the mode says.
    ///   - planner: decides the first calls.
    /// - Throws: `PipelineError` for a pipeline that cannot be used; `InputError` for a name that nothing has, and for inputs and options
    ///   that are wrong.
    public func resolve(
        _ name: String, inputs: JSONValue, options: RunOptions = RunOptions(), with planner: PipelinePlanner
    ) throws -> NewRun {
        let pipeline = try pipeline(named: name)
        return try planner.run(pipeline, name: name, inputs: try checked(inputs, of: pipeline), options: options)
    }

    /// Inputs as a run of a pipeline keeps them: of their types, with defaults.
    /// - Throws: `InputError` (`badData`), also for inputs that are too long together.
    public func checked(_ inputs: JSONValue, of pipeline: Pipeline) throws(InputError) -> JSONValue {
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
}
