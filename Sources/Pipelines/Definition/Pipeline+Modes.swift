import JobModel

extension Pipeline {
    /// The pipeline with a mode's settings: its roles, its target, and its inputs where they are not given.
    /// - Throws: `PipelineError`, with its key, where the mode is about inputs or roles that the pipeline does not have.
    public func applying(_ mode: PipelineMode) throws(PipelineError) -> Pipeline {
        if let fault = ModeCheck.faults(of: mode, for: source).first {
            throw PipelineError(key: "modes.\(mode.name).\(fault.key)", message: fault.message)
        }
        var source = source
        source.roles = Role.merged(source.roles, mode.roles)
        source.model = mode.model ?? source.model
        for member in mode.inputs {
            guard let place = source.inputs.firstIndex(where: { $0.name == member.key }) else { continue }
            source.inputs[place].fallback = member.value
        }
        do {
            return try Pipeline(source)
        } catch {
            throw PipelineError(key: ["modes.\(mode.name)", error.key].compactMap(\.self).joined(separator: "."), message: error.message)
        }
    }
}
