import JobModel

/// A name for a pipeline with settings.
public struct PipelineMode: Sendable, Equatable {
    /// What it is run by.
    public var name: String
    /// The pipeline that it is of.
    public var pipeline: String
    /// Inputs that are these where they are not given.
    public var inputs: [JSONValue.Member]
    /// The target of calls whose step and role name none.
    public var model: String?
    /// What its roles say in place of the pipeline's, key by key.
    public var roles: [Role]

    /// Makes a mode.
    public init(_ name: String, of pipeline: String, inputs: [JSONValue.Member] = [], model: String? = nil, roles: [Role] = []) {
        self.name = name
        self.pipeline = pipeline
        self.inputs = inputs
        self.model = model
        self.roles = roles
    }
}
