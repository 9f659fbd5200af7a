import JobModel
import Settings

/// Whether modes are of the pipeline that they name.
enum ModeCheck {
    static func check(_ modes: [PipelineMode], of source: PipelineSource, report: (GraphCompiler.Fault) -> Void) {
        for mode in modes {
            let key = "modes.\(mode.name)"
            if !NameText.isName(mode.name) { report(.init(key: key, message: "is not a name for a mode")) }
            if mode.name == source.name { report(.init(key: key, message: "is the name of the pipeline itself")) }
            for fault in faults(of: mode, for: source) { report(.init(key: "\(key).\(fault.key)", message: fault.message)) }
        }
    }

    /// What a mode says of inputs and roles that are not there.
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
