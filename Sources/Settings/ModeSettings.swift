import JobModel

/// `modes.<name>:` — a pipeline with settings, under a name of its own.
public struct ModeSettings: Equatable, Sendable {
    /// The pipeline's name.
    public var pipeline = ""
    /// Inputs that take the place of the pipeline's defaults.
    public var inputs: [JSONValue.Member]?
    /// The target of calls whose step and role name none.
    public var model: String?
    /// What it changes of roles, by name and key by key.
    public var roles: [String: RoleSettings] = [:]

    /// A mode of a pipeline that is still to be named.
    public init() {}
}
