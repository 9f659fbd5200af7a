import QueueStore
import Settings

/// Sees to it that all vectors of a namespace, those that are there and those to come, are of one model and one length, before any is
/// stored.
struct VectorAgreement {
    /// What the vectors of a namespace are.
    private struct Held {
        var model: VectorModel
        /// Nil where a model is still to make the first.
        var dimension: Int?
        /// Whether they are in the database, not only in what is to be stored.
        var isStored: Bool
    }

    private let space: (_ namespace: String) throws -> MemorySpace?
    private var held: [String: Held?] = [:]

    /// - Parameter space: the vectors of a namespace; asked once for each.
    init(space: @escaping (_ namespace: String) throws -> MemorySpace?) { self.space = space }

    /// Takes in the next memory.
    /// - Throws: `InputError` (`badData`) where its vector does not go with the others; what `space` throws.
    mutating func check(_ memory: CheckedMemory, in namespace: String) throws {
        guard let model = memory.model else { return }
        let dimension = memory.memory.vector?.dimension
        guard var held = try held(in: namespace) else {
            held[namespace] = Held(model: model, dimension: dimension, isStored: false)
            return
        }
        guard held.model == model else { throw Self.conflict(namespace, held, model) }
        guard let dimension else { return }
        if let agreed = held.dimension, agreed != dimension {
            let others = held.isStored ? "those of namespace \(InvalidText.quoted(namespace)) have" : "those before it"
            throw Self.wrong("the vector has \(Self.values(dimension)), and \(others) \(agreed)")
        }
        held.dimension = dimension
        self.held[namespace] = held
    }

    private mutating func held(in namespace: String) throws -> Held? {
        if let known = held[namespace] { return known }
        let stored = try space(namespace).map { Held(model: $0.model, dimension: $0.dimension, isStored: true) }
        held[namespace] = .some(stored)
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
            let change = held.isStored ? "'agent-queue memory reembed \(namespace)' changes them, or " : ""
            return wrong(
                "namespace \(name) holds vectors of \(held.model.target)\(own), and this one would be \(other); "
                    + "\(change)use another namespace")
        }
    }

    private static func values(_ count: Int) -> String { count == 1 ? "1 value" : "\(count) values" }

    private static func wrong(_ message: String) -> InputError { InputError(message, exit: .badData) }
}
