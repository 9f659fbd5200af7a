import AgentQueueModel

/// What a step asks a model. All texts but the role's name are templates or paths.
package struct Call: Sendable, Equatable {
    /// Its role, by name; nil for none.
    package var role: String?
    /// The user's message: a template.
    package var prompt: String
    /// The system text, in place of the role's: a template.
    package var system: String?
    /// `provider/model`, in place of the role's: a template over the inputs alone.
    package var model: String?
    /// 0 to 2, in place of the role's.
    package var temperature: Double?
    /// The most tokens of an answer, in place of the role's.
    package var maxTokens: Int?
    /// Other parameters of the model's API, in place of the role's of the same names.
    package var parameters: [JSONValue.Member] = []
    /// A call each for the items of a list.
    package var foreach: Foreach?
    /// Several calls in place of one.
    package var ensemble: Ensemble?
    /// What answers must be; nil for texts.
    package var schema: SchemaSource?
    /// Tells several answers to one question apart, from 1.
    package var sample: Int?
    /// How many memories are put before the prompt.
    package var recall: Int?
    /// Where memories are looked for, and answers are remembered.
    package var namespaces: [String] = []
    /// Whether answers are remembered.
    package var remembers = false
    /// How long a call may take, in ms.
    package var timeout: Int64?
    /// The most that the attempts of a call may cost together, in US dollars.
    package var budget: Double?
    /// Whether a cached answer may serve.
    package var usesCache = true
    /// How long an answer may serve from the cache, in ms.
    package var cacheTTL: Int64?
    /// Attempts that a call may take.
    package var maxAttempts: Int?

    /// Makes a call.
    package init(role: String? = nil, prompt: String) {
        self.role = role
        self.prompt = prompt
    }
}

/// A way of asking: what a step has of its role, unless it says otherwise itself.
package struct Role: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// The system text, a template; nil says nothing.
    package var system: String?
    /// `provider/model`, a template over the inputs alone; nil says nothing.
    package var model: String?
    /// 0 to 2.
    package var temperature: Double?
    /// The most tokens of an answer.
    package var maxTokens: Int?
    /// Other parameters of the model's API.
    package var parameters: [JSONValue.Member]

    /// Makes a role.
    package init(
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
    package func overridden(by other: Role) -> Role {
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

/// What a step makes a call each for.
package struct Foreach: Sendable, Equatable {
    /// Where it is found: a path such as `plan.parts`.
    package var path: String
    /// How it becomes a list of items.
    package var way: Way

    /// How a value becomes a list of items.
    package enum Way: Sendable, Equatable {
        /// It is one.
        case elements
        /// A text, or each text of a list, is cut into pieces of so many characters at most, at the end of a paragraph, line, sentence
        /// or word where there is one; each begins with the last characters of the one before, up to `overlap`.
        case split(Amount, overlap: Amount)
        /// The texts of a list are put together as long as they have no more than so many characters, a blank line between them.
        case join(Amount)
    }

    /// How many characters a piece may have.
    package static let sizes = 100...10_000_000
    /// The most items that a step makes calls for.
    package static let maxItems = 10_000

    /// Makes one.
    package init(_ path: String, _ way: Way = .elements) {
        self.path = path
        self.way = way
    }
}

/// Where the JSON Schema of a step's answers comes from.
package enum SchemaSource: Sendable, Equatable {
    /// It is part of the pipeline.
    case inline(JSONValue)
    /// The run is given it: the name of an input of type object.
    case input(String)
}

/// A whole number, or the input that a run has it from.
package enum Amount: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// This one.
    case number(Int)
    /// That of an input of type integer, by its name.
    case input(String)

    /// A number, written as a literal.
    package init(integerLiteral value: Int) { self = .number(value) }
}
