import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// A text to store as a memory. It is checked when it is stored.
public struct MemoryDraft: Sendable, Equatable {
    /// The text. May be empty if a vector is given.
    public var text: String
    /// The user's own key. A memory with the same key is replaced.
    public var key: String?
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// The importance, 0 to 1; 0.5 by default.
    public var importance = 0.5
    /// How long it is kept.
    package var expiry = MemoryExpiry.usual
    /// When it was created (wall clock, ms); nil for now.
    package var createdAt: Int64?
    /// When a search last found it, if it comes from another database (wall clock, ms); nil for never.
    package var recalledAt: Int64?
    /// The source of its vector.
    package var vector = VectorSource.model

    /// The source of a memory's vector.
    package enum VectorSource: Sendable, Equatable {
        /// The configured embedding model makes it from the text.
        case model
        /// The user provides it.
        case own([Float])
        /// A model made it before, such as one in an export.
        case made([Float], by: VectorModel)
        /// It has none, and is found only by its words.
        case none
    }

    /// Makes a draft with the default options.
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

    /// A vector that the program provides; nil to have the configured model make it.
    public var embedding: [Float]? {
        get { if case .own(let values) = vector { values } else { nil } }
        set { vector = newValue.map { .own($0) } ?? .model }
    }
}

/// How long a memory is kept.
package enum MemoryExpiry: Sendable, Equatable {
    /// The retention of its namespace, or else `memory.retention`.
    case usual
    /// This long after it is stored, in ms, at least 1.
    case after(Int64)
    /// Until this time (wall clock, ms).
    case at(Int64)
    /// For ever.
    case never
}

/// The names of namespaces.
package enum NamespaceName {
    /// The namespace of memories that name none.
    package static let usual = "default"

    /// Checks a name: 1 to 128 characters, no control characters, and no commas, which separate names in a list.
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
