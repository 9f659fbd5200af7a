import JobModel

/// `roles.<name>:` — who a model is to be: what a step of a pipeline, or a job, says where it does not say it itself. Nil says nothing.
public struct RoleSettings: Equatable, Sendable {
    /// The system text; for steps of pipelines a template. At most 1 MiB.
    public var system: String?
    /// `provider/model`; for steps of pipelines it may be a template over the inputs.
    public var model: String?
    /// 0 to 2.
    public var temperature: Double?
    /// The most tokens of an answer. 1 to 10 million.
    public var maxTokens: Int?
    /// Other parameters of the model's API, passed through.
    public var parameters: [JSONValue.Member]?

    /// A role that says nothing.
    public init() {}
}
