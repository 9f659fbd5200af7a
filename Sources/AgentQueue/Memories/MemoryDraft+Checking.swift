import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension MemoryDraft {
    /// Checks everything that does not depend on other memories.
    /// - Throws: `InputError` (`badData`).
    func checked(in namespace: String, _ context: MemoryContext) throws(InputError) -> CheckedMemory {
        let vector = try checkedVector()
        try checkText(hasVector: vector != nil)
        try checkKey()
        try checkMetadata()
        guard importance >= 0, importance <= 1 else { throw Self.wrong("importance must be 0 to 1, not \(importance)") }
        let model: VectorModel? =
            switch self.vector {
            case .model: context.model
            case .own: .brought
            case .made(_, let model): model
            case .none: nil
            }
        var memory = NewMemory(
            text, key: key, metadata: metadata, importance: importance, createdAt: createdAt ?? context.now,
            expiresAt: try expiresAt(in: namespace, context), vector: vector)
        memory.recalledAt = recalledAt
        return CheckedMemory(memory: memory, model: model)
    }

    private func checkText(hasVector: Bool) throws(InputError) {
        guard text.utf8.count <= MemoryLimits.maxTextBytes else {
            throw Self.wrong("the text is longer than \(ByteCountText.format(Int64(MemoryLimits.maxTextBytes)))")
        }
        guard !TextSize.holdsNUL(text) else { throw Self.wrong("the text holds a NUL character") }
        guard hasVector || !TextSize.isBlank(text) else { throw Self.wrong("the text is empty") }
    }

    private func checkKey() throws(InputError) {
        guard let key else { return }
        guard !TextSize.isBlank(key) else { throw Self.wrong("the key is empty") }
        guard key.unicodeScalars.count <= MemoryLimits.maxKeyLength else {
            throw Self.wrong("the key \(InvalidText.quoted(key)) is longer than \(MemoryLimits.maxKeyLength) characters")
        }
        guard key.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw Self.wrong("the key \(InvalidText.quoted(key)) cannot hold control characters")
        }
    }

    private func checkMetadata() throws(InputError) {
        guard let metadata else { return }
        guard metadata.members != nil else { throw Self.wrong("metadata must be an object, not \(metadata.kindName)") }
        guard !TextSize.holdsNUL(metadata) else { throw Self.wrong("metadata holds a NUL character") }
        guard TextSize.bound(of: metadata) > MemoryLimits.maxMetadataBytes else { return }
        guard metadata.utf8(sorted: false).count <= MemoryLimits.maxMetadataBytes else {
            throw Self.wrong("metadata is longer than \(ByteCountText.format(Int64(MemoryLimits.maxMetadataBytes))) of JSON")
        }
    }

    private func checkedVector() throws(InputError) -> MemoryVector? {
        switch vector {
        case .model, .none: return nil
        case .own(let values), .made(let values, _):
            do throws(VectorError) {
                return try MemoryVector(values)
            } catch {
                throw Self.wrong(error.description)
            }
        }
    }

    private func expiresAt(in namespace: String, _ context: MemoryContext) throws(InputError) -> Int64? {
        switch expiry {
        case .usual: return context.retention(namespace).map { context.now + $0 }
        case .after(let span):
            guard span > 0 else { throw Self.wrong("the time to live must be more than 0") }
            guard span <= MemoryLimits.maxTimeToLive else {
                let longest = DurationText.format(.milliseconds(MemoryLimits.maxTimeToLive))
                throw Self.wrong("the time to live is too long (at most \(longest), or never)")
            }
            return context.now + span
        case .at(let time):
            guard time > context.now else { throw Self.wrong("it would be forgotten at once: \(TimeText.format(time)) has passed") }
            return time
        case .never: return nil
        }
    }

    private static func wrong(_ message: String) -> InputError { InputError(message, kind: .badData) }
}

/// A memory that passed its checks.
struct CheckedMemory: Sendable, Equatable {
    /// Includes its vector, unless a model has yet to make it.
    var memory: NewMemory
    /// The model that made or will make the vector; nil if it has none.
    var model: VectorModel?
    var needsVector: Bool { model != nil && memory.vector == nil }
}

/// The settings and the time that memories are checked against.
struct MemoryContext: Sendable {
    /// Wall clock, in ms: the start of a time to live.
    var now: Int64
    /// The model that makes the vectors of texts; nil if `memory.vectors` is off, so that texts are found only by their words.
    var model: VectorModel?
    /// How long memories of a namespace are kept by default, in ms; nil means for ever.
    var retention: @Sendable (_ namespace: String) -> Int64?
}

/// Checks, before anything is stored, that all vectors of a namespace, existing and new, have the same model and length.
struct VectorAgreement {
    /// The model and length of a namespace's vectors.
    private struct Held {
        var model: VectorModel
        /// Nil if a model has yet to make the first vector.
        var dimension: Int?
        /// Whether the database already has them.
        var isStored: Bool
    }

    private let space: (_ namespace: String) throws -> MemorySpace?
    private var held: [ExactText: Held?] = [:]

    /// - Parameter space: returns the space of a namespace's vectors. Called once for each namespace.
    init(space: @escaping (_ namespace: String) throws -> MemorySpace?) { self.space = space }

    /// Checks the next memory.
    /// - Throws: `InputError` (`badData`) if its vector does not match the others; the errors of `space`.
    mutating func check(_ memory: CheckedMemory, in namespace: String) throws {
        guard let model = memory.model else { return }
        let dimension = memory.memory.vector?.dimension
        guard var held = try held(in: namespace) else {
            held[ExactText(namespace)] = Held(model: model, dimension: dimension, isStored: false)
            return
        }
        guard held.model == model else { throw Self.conflict(namespace, held, model) }
        guard let dimension else { return }
        if let agreed = held.dimension, agreed != dimension {
            let others = held.isStored ? "those of namespace \(InvalidText.quoted(namespace)) have" : "those before it"
            throw Self.wrong("the vector has \(Self.values(dimension)), and \(others) \(agreed)")
        }
        held.dimension = dimension
        self.held[ExactText(namespace)] = held
    }

    private mutating func held(in namespace: String) throws -> Held? {
        if let known = held[ExactText(namespace)] { return known }
        let stored = try space(namespace).map { Held(model: $0.model, dimension: $0.dimension, isStored: true) }
        held[ExactText(namespace)] = .some(stored)
        return stored
    }

    private static func conflict(_ namespace: String, _ held: Held, _ model: VectorModel) -> InputError {
        let name = InvalidText.quoted(namespace)
        switch (held.model == .brought, model == .brought) {
        case (true, _):
            let length = held.dimension.map { ", of \(values($0))" } ?? ""
            return wrong("namespace \(name) holds vectors of your own\(length): give a vector with each text, or use another namespace")
        case (_, true):
            return wrong(
                "namespace \(name) holds vectors of \(held.model.target): leave the vector out, say that this model made it (\"model\"), "
                    + "or use another namespace")
        case (false, false):
            let same = held.model.target == model.target
            let own = same ? " with the prefix \(InvalidText.quoted(held.model.passagePrefix))" : ""
            let other = same ? "with the prefix \(InvalidText.quoted(model.passagePrefix))" : "of \(model.target)"
            let change = held.isStored ? "embed it again with that model, or " : ""
            return wrong(
                "namespace \(name) holds vectors of \(held.model.target)\(own), and this one would be \(other); "
                    + "\(change)use another namespace")
        }
    }

    private static func values(_ count: Int) -> String { count == 1 ? "1 value" : "\(count) values" }

    private static func wrong(_ message: String) -> InputError { InputError(message, kind: .badData) }
}
