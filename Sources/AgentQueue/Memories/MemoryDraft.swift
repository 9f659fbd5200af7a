import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// A text to remember, as a user gives it: not checked yet.
public struct MemoryDraft: Sendable, Equatable {
    /// The text; may be empty where a vector is given.
    public var text: String
    /// The user's own name for it: the next of this key takes its place.
    public var key: String?
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// How much it matters, 0 to 1; 0.5 unless told.
    public var importance = 0.5
    /// How long it is kept.
    package var expiry = MemoryExpiry.usual
    /// When it was made (wall clock, ms); nil is now.
    package var createdAt: Int64?
    /// When a search last brought it up, where it was remembered elsewhere before (wall clock, ms); nil is never.
    package var recalledAt: Int64?
    /// Where it lies.
    package var vector = VectorSource.model

    /// Where a memory's vector comes from.
    package enum VectorSource: Sendable, Equatable {
        /// The configured embedding model makes it of the text.
        case model
        /// The user brings it.
        case own([Float])
        /// A model made it before, such as that of an export.
        case made([Float], by: VectorModel)
        /// It has none, and is found by its words alone.
        case none
    }

    /// Makes one.
    public init(_ text: String) { self.text = text }

    /// How long it is kept, from when it is stored: 1 ms or more. Nil is the configured retention of its namespace, or no limit if it
    /// ``neverExpires``. Setting it, also to nil, ends ``neverExpires``.
    public var timeToLive: Duration? {
        get { if case .after(let milliseconds) = expiry { .milliseconds(milliseconds) } else { nil } }
        set { expiry = newValue.map { .after($0.milliseconds) } ?? .usual }
    }

    /// Whether it is kept until it is deleted, whatever the configured retention. Limits on the size of its namespace still apply. False by
    /// default. Setting it to true takes the place of ``timeToLive``.
    public var neverExpires: Bool {
        get { expiry == .never }
        set {
            if newValue {
                expiry = .never
            } else if expiry == .never {
                expiry = .usual
            }
        }
    }

    /// A vector that the program brings; nil leaves it to the configured model.
    public var embedding: [Float]? {
        get { if case .own(let values) = vector { values } else { nil } }
        set { vector = newValue.map { .own($0) } ?? .model }
    }
}

/// How long a memory is kept.
package enum MemoryExpiry: Sendable, Equatable {
    /// As long as its namespace says, or else `memory.retention`.
    case usual
    /// So long from when it is stored, in ms, at least 1.
    case after(Int64)
    /// Until then (wall clock, ms).
    case at(Int64)
    /// For ever.
    case never
}

/// The names of namespaces.
package enum NamespaceName {
    /// Where memories go that name none.
    package static let usual = "default"

    /// Checks a name: 1 to 128 characters, no control character, no comma, since commas stand between the names of several.
    /// - Throws: `InputError` (`usage`).
    package static func check(_ name: String) throws(InputError) {
        guard !TextSize.isBlank(name) else { throw InputError("a namespace needs a name", kind: .usage) }
        guard name.unicodeScalars.count <= MemoryLimits.maxNamespaceLength else {
            let quoted = InvalidText.quoted(name)
            throw InputError("the namespace's name \(quoted) is longer than \(MemoryLimits.maxNamespaceLength) characters", kind: .usage)
        }
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: scalar != ","
            }
        }
        guard isPlain else {
            throw InputError("the namespace's name \(InvalidText.quoted(name)) cannot hold commas or control characters", kind: .usage)
        }
    }
}
