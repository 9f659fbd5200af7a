import AgentQueueModel

/// What a step asks a model.
///
/// All that can be said of a job can be said of it, beside what only steps have; see ``JobDraft``. Its prompt, system text and model are
/// templates, and what it does not say itself, its role does.
@dynamicMemberLookup
package struct Call: Sendable, Equatable {
    /// The job that a call is, but for its schema.
    package var job: JobDraft
    /// A call each for the items of a list.
    package var foreach: Foreach?
    /// Several calls in place of one.
    package var ensemble: Ensemble?
    /// What answers must be; nil for texts.
    package var schema: SchemaSource?

    /// Makes a call.
    package init(role: String? = nil, prompt: String) {
        job = JobDraft()
        job.role = role
        job.prompt = prompt
    }

    /// The user's message: a template.
    package var prompt: String {
        get { job.prompt ?? "" }
        set { job.prompt = newValue }
    }

    /// What the job says.
    package subscript<Value>(dynamicMember path: WritableKeyPath<JobDraft, Value>) -> Value {
        get { job[keyPath: path] }
        set { job[keyPath: path] = newValue }
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
