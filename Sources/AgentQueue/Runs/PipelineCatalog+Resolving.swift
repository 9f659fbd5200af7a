import Crypto
import Foundation
import JobModel
import Pipelines
import Settings

extension PipelineCatalog {
    /// A run of what has a name. Its first calls are left to whoever carries runs on.
    /// - Parameters:
    ///   - inputs: an object; what it does not say is as the pipeline or the mode says.
    ///   - now: wall clock, ms.
    /// - Throws: `PipelineError` for a pipeline that cannot be used; `InputError` for a name that nothing has, and for inputs and options
    ///   that are wrong.
    public func resolve(_ name: String, inputs: JSONValue, options: RunOptions = RunOptions(), now: Int64) throws -> NewRun {
        let pipeline = try pipeline(named: name)
        let inputs = try checked(inputs, of: pipeline)
        // What every job of the run would be refused for is refused before there is a run.
        var draft = JobDraft()
        draft.prompt = "-"
        draft.apply(options)
        try draft.check(in: settings.intakeContext(now: now))
        let definition = pipeline.definition
        var run = NewRun(
            name: name, digest: Array(SHA256.hash(data: Data(definition.utf8))), definition: definition, inputs: inputs,
            options: options.json)
        run.first.isDue = true
        return run
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
