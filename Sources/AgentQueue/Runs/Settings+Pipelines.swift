import Pipelines
import Settings

extension Settings {
    /// The roles of the configuration, as pipelines know them.
    var pipelineRoles: [Role] { Self.roles(roles) }

    /// A mode of the configuration, as pipelines know it.
    func mode(_ name: String, _ mode: ModeSettings) -> PipelineMode {
        PipelineMode(name, of: mode.pipeline, inputs: mode.inputs ?? [], model: mode.model, roles: Self.roles(mode.roles))
    }

    private static func roles(_ roles: [String: RoleSettings]) -> [Role] {
        roles.sorted { $0.key < $1.key }.map { name, role in
            Role(
                name, system: role.system, model: role.model, temperature: role.temperature, maxTokens: role.maxTokens,
                parameters: role.parameters ?? [])
        }
    }
}
