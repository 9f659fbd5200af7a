import JobModel

/// A way of asking: what a step has of its role, unless it says otherwise itself.
public struct Role: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// The system text, a template; nil says nothing.
    public var system: String?
    /// `provider/model`, a template over the inputs alone; nil says nothing.
    public var model: String?
    /// 0 to 2.
    public var temperature: Double?
    /// The most tokens of an answer.
    public var maxTokens: Int?
    /// Other parameters of the model's API.
    public var parameters: [JSONValue.Member]

    /// Makes a role.
    public init(
        _ name: String, system: String? = nil, model: String? = nil, temperature: Double? = nil, maxTokens: Int? = nil,
        parameters: [JSONValue.Member] = []
    ) {
        self.name = name
        self.system = system
        self.model = model
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.parameters = parameters
    }

    /// This role with what another says in place of its own, key by key.
    public func overridden(by other: Role) -> Role {
        Role(
            name, system: other.system ?? system, model: other.model ?? model, temperature: other.temperature ?? temperature,
            maxTokens: other.maxTokens ?? maxTokens, parameters: Self.merged(parameters, other.parameters))
    }

    /// Members with others in place of those of the same name.
    static func merged(_ members: [JSONValue.Member], _ others: [JSONValue.Member]) -> [JSONValue.Member] {
        members.filter { member in !others.contains { $0.key == member.key } } + others
    }

    /// Roles with what others say in place of their own, by name.
    static func merged(_ roles: [Role], _ others: [Role]) -> [Role] {
        var merged = roles
        for other in others {
            if let place = merged.firstIndex(where: { $0.name == other.name }) {
                merged[place] = merged[place].overridden(by: other)
            } else {
                merged.append(other)
            }
        }
        return merged
    }
}
