import AgentQueueModel

/// `roles.<name>:` — who a model is to be: what a step of a pipeline, or a job, says where it does not say it itself. Nil says nothing.
package struct RoleSettings: Equatable, Sendable {
    /// The system text; for steps of pipelines a template. At most 1 MiB.
    package var system: String?
    /// `provider/model`; for steps of pipelines it may be a template over the inputs.
    package var model: String?
    /// 0 to 2.
    package var temperature: Double?
    /// The most tokens of an answer. 1 to 10 million.
    package var maxTokens: Int?
    /// Other parameters of the model's API, passed through.
    package var parameters: [JSONValue.Member]?

    /// A role that says nothing.
    package init() {}
}

/// Every key below `roles.<name>`.
extension RoleSettings {
    static let keys = SettingTable<RoleSettings>([
        Setting("system", \.system, .optional(.text(maxBytes: 1 << 20))),
        Setting("model", \.model, .optional(.targetTemplate)),
        Setting("temperature", \.temperature, .optional(.number(0...2))),
        Setting("max_tokens", \.maxTokens, .optional(.integer(1...10_000_000))),
        Setting("parameters", \.parameters, .optional(.object)),
    ])
}

/// `modes.<name>:` — a pipeline with settings, under a name of its own.
package struct ModeSettings: Equatable, Sendable {
    /// The pipeline's name.
    package var pipeline = ""
    /// Inputs that take the place of the pipeline's defaults.
    package var inputs: [JSONValue.Member]?
    /// The target of calls whose step and role name none.
    package var model: String?
    /// What it changes of roles, by name and key by key.
    package var roles: [String: RoleSettings] = [:]

    /// A mode of a pipeline that is still to be named.
    package init() {}
}

/// Every key below `modes.<name>` but `roles`.
extension ModeSettings {
    static let keys = SettingTable<ModeSettings>([
        Setting("pipeline", \.pipeline, .name),
        Setting("inputs", \.inputs, .optional(.object)),
        Setting("model", \.model, .optional(.target)),
    ])
}
