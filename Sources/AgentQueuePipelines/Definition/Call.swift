import AgentQueueModel

/// A step's call of a model.
///
/// It has the options of a `JobDraft` that a step may set, such as `timeout`, `budget`, `maxAttempts`, `cache`, `cacheTTL`, `sample`,
/// `recall`, `namespaces`, `remembers` and `temperature`, and those that only steps have. Its prompt, system text and model are templates.
/// Options that it does not set are taken from its role. ``Step/with(_:)`` changes the call of a step.
@dynamicMemberLookup
public struct Call: Sendable, Equatable {
    /// The job of the call, without its schema.
    package var job: JobDraft
    /// Makes one call for each item of a list.
    public var foreach: Foreach?
    /// Several calls instead of one.
    public var ensemble: Ensemble?
    /// The schema of the answers; nil for text.
    public var schema: SchemaSource?

    /// Makes a call.
    package init(role: String? = nil, prompt: String) {
        job = JobDraft()
        job.role = role
        job.prompt = prompt
    }

    /// The user's message: a template.
    public var prompt: String {
        get { job.prompt ?? "" }
        set { job.prompt = newValue }
    }

    /// An option of the job, by its name in `JobDraft`.
    public subscript<Value>(dynamicMember path: WritableKeyPath<JobDraft, Value>) -> Value {
        get { job[keyPath: path] }
        set { job[keyPath: path] = newValue }
    }
}

/// A way of asking. Its steps take from it what they do not say themselves.
public struct Role: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// What it says: the options of a job that ``JobOption/ofRoles`` lists, and parameters of the model's API. The system text and the
    /// model are templates; that of the model may use inputs.
    package private(set) var job = JobDraft()

    /// Makes a role.
    public init(
        _ name: String, system: String? = nil, model: String? = nil, temperature: Double? = nil, maxTokens: Int? = nil,
        parameters: [JSONValue.Member] = []
    ) {
        self.name = name
        (job.system, job.model, job.temperature, job.maxTokens, job.parameters) = (system, model, temperature, maxTokens, parameters)
    }

    /// Makes a role that says what a job says, as far as a role can.
    package init(_ name: String, _ draft: JobDraft) {
        self.name = name
        for option in JobOption.ofRoles { option.copy(draft, &job) }
        job.parameters = draft.parameters
    }

    /// Makes a job say what the role says.
    func apply(to draft: inout JobDraft) {
        for option in JobOption.ofRoles { option.copy(job, &draft) }
        draft.parameters = job.parameters
    }

    /// This role, with another's options instead of its own where both have them.
    package func overridden(by other: Role) -> Role {
        var role = self
        for option in JobOption.ofRoles where option.isGiven(other.job) { option.copy(other.job, &role.job) }
        role.job.parameters = Self.merged(job.parameters, other.job.parameters)
        return role
    }

    /// The members, with others instead of those of the same name.
    static func merged(_ members: [JSONValue.Member], _ others: [JSONValue.Member]) -> [JSONValue.Member] {
        members.filter { member in !others.contains { $0.key == member.key } } + others
    }

    /// The roles, with others' options instead of their own, by name.
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

/// The list that a step makes one call for each item of.
public struct Foreach: Sendable, Equatable {
    /// The path of its value, such as `plan.parts`.
    package var path: String
    /// How the value becomes a list of items.
    package var way: Way

    /// How a value becomes a list of items.
    public enum Way: Sendable, Equatable {
        /// The value is a list.
        case elements
        /// A text, or each text of a list, is split into pieces of at most that many characters, at the end of a paragraph, line, sentence
        /// or word if possible. Each piece begins with up to `overlap` of the last characters of the previous one.
        case split(Amount, overlap: Amount)
        /// The texts of a list are joined, with blank lines between them, up to that many characters.
        case join(Amount)
    }

    /// The possible size of a piece, in characters.
    package static let sizes = 100...10_000_000
    /// The most items that a step makes calls for.
    package static let maxItems = 10_000

    /// Makes a list of items.
    public init(_ path: String, _ way: Way = .elements) {
        self.path = path
        self.way = way
    }
}

/// The source of the JSON Schema for a step's answers.
public enum SchemaSource: Sendable, Equatable {
    /// The schema is part of the pipeline.
    case inline(JSONValue)
    /// The run gets the schema as an input of type object, with this name.
    case input(String)
}

/// A whole number, or the input that has it.
public enum Amount: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// This number.
    case number(Int)
    /// The number in the input of this name, of type integer.
    case input(String)

    /// A number written as a literal.
    public init(integerLiteral value: Int) { self = .number(value) }
}
