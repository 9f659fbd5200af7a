/// A pipeline as it is written, nothing checked yet but types.
struct PipelineSource: Sendable, Equatable {
    var name: String
    var summary = ""
    /// The target of calls whose step and role name none, from a mode: a template over the inputs alone.
    var model: String?
    var inputs: [PipelineInput] = []
    var roles: [Role] = []
    var steps: [Step] = []
    var output: String?
    var modes: [PipelineMode] = []
}
