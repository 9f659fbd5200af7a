import AgentQueueModel

/// `roles.<name>:` — a role for a model. It supplies what a pipeline step or a job leaves open; nil supplies nothing.
package struct RoleSettings: Equatable, Sendable {
    /// The system text; for pipeline steps it may be a template. At most 1 MiB.
    package var system: String?
    /// The target, `provider/model`; for pipeline steps it may be a template over the inputs.
    package var model: String?
    /// 0 to 2.
    package var temperature: Double?
    /// The maximum number of tokens in an answer, 1 to 10 million.
    package var maxTokens: Int?
    /// Other parameters of the model's API, passed through.
    package var parameters: [JSONValue.Member]?

    package init() {}

    /// What it supplies, as options of a job.
    package var job: JobDraft {
        var job = JobDraft()
        (job.system, job.model, job.temperature, job.maxTokens, job.parameters) = (system, model, temperature, maxTokens, parameters ?? [])
        return job
    }
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
    package var pipeline = ""
    /// Inputs that replace the pipeline's defaults.
    package var inputs: [JSONValue.Member]?
    /// The target of calls whose step and role name none.
    package var model: String?
    /// Changes to roles, by name and then key by key.
    package var roles: [String: RoleSettings] = [:]

    package init() {}
}

/// Every key below `modes.<name>` except `roles`.
extension ModeSettings {
    static let keys = SettingTable<ModeSettings>([
        Setting("pipeline", \.pipeline, .name),
        Setting("inputs", \.inputs, .optional(.object)),
        Setting("model", \.model, .optional(.target)),
    ])
}
