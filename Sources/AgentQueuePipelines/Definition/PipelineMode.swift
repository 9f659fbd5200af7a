import AgentQueueModel
import AgentQueueSettings

/// A named variant of a pipeline with its own settings.
package struct PipelineMode: Sendable, Equatable {
    /// The name that runs are started by.
    package var name: String
    /// The pipeline that it is a mode of.
    package var pipeline: String
    /// Values of inputs that are not given.
    package var inputs: [JSONValue.Member]
    /// The target of calls whose step and role name none.
    package var model: String?
    /// What its roles say instead of the pipeline's, key by key.
    package var roles: [Role]

    /// Makes a mode.
    package init(_ name: String, of pipeline: String, inputs: [JSONValue.Member] = [], model: String? = nil, roles: [Role] = []) {
        self.name = name
        self.pipeline = pipeline
        self.inputs = inputs
        self.model = model
        self.roles = roles
    }
}

extension Pipeline {
    /// The pipeline with a mode's settings: its roles, its target, and its values of inputs that are not given.
    /// - Parameter checks: what is checked besides the pipeline itself.
    /// - Throws: `PipelineError` with the key if the mode names inputs or roles that the pipeline does not have.
    package func applying(_ mode: PipelineMode, checks: PipelineChecks = .none) throws(PipelineError) -> Pipeline {
        if let fault = faults(of: mode).first { throw fault }
        var source = source
        source.roles = Role.merged(source.roles, mode.roles)
        source.model = mode.model ?? source.model
        for member in mode.inputs {
            guard let place = source.inputs.firstIndex(where: { $0.name == member.key }) else { continue }
            source.inputs[place].fallback = member.value
        }
        do {
            return try Pipeline(source, checks: checks)
        } catch {
            throw PipelineError(key: ["modes.\(mode.name)", error.key].compactMap(\.self).joined(separator: "."), message: error.message)
        }
    }
}

extension Pipeline {
    /// Every fault of a mode, with its key; none if ``applying(_:checks:)`` can be asked for it.
    package func faults(of mode: PipelineMode) -> [PipelineError] {
        ModeCheck.faults(of: mode, for: source).map { PipelineError(key: "modes.\(mode.name).\($0.key)", message: $0.message) }
    }
}

/// Checks modes against the pipeline that they name.
enum ModeCheck {
    static func check(_ modes: [PipelineMode], of source: PipelineSource, report: (GraphCompiler.Fault) -> Void) {
        for mode in modes {
            let key = "modes.\(mode.name)"
            if !NameText.isName(mode.name) { report(.init(key: key, message: "is not a name for a mode")) }
            if mode.name == source.name { report(.init(key: key, message: "is the name of the pipeline itself")) }
            for fault in faults(of: mode, for: source) { report(.init(key: "\(key).\(fault.key)", message: fault.message)) }
        }
    }

    /// The faults of a mode: inputs and roles that do not exist.
    static func faults(of mode: PipelineMode, for source: PipelineSource) -> [GraphCompiler.Fault] {
        var faults: [GraphCompiler.Fault] = []
        for member in mode.inputs {
            guard let input = source.inputs.first(where: { $0.name == member.key }) else {
                let hint = Suggestion.hint(for: member.key, in: source.inputs.map(\.name))
                faults.append(.init(key: "inputs.\(member.key)", message: "is no input of '\(source.name)'\(hint)"))
                continue
            }
            if let problem = input.problem(with: member.value) { faults.append(.init(key: "inputs.\(member.key)", message: problem)) }
        }
        for role in mode.roles where !source.roles.contains(where: { $0.name == role.name }) {
            let hint = Suggestion.hint(for: role.name, in: source.roles.map(\.name))
            faults.append(.init(key: "roles.\(role.name)", message: "is no role of '\(source.name)'\(hint)"))
        }
        return faults
    }
}
