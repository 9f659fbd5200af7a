extension MemoryNamespace {
    /// Why it takes no vectors of a model, in a sentence; nil where it does, or will when those are made that are under way.
    public func refusal(of model: VectorModel) -> String? {
        guard let space, space.model != model, building?.model != model else { return nil }
        return """
            namespace \(name) holds vectors of \(space.model.described), not of \(model.described); use another namespace, or \
            'agent-queue memory reembed \(name)'
            """
    }
}

extension VectorModel {
    fileprivate var described: String {
        let name = target == Self.brought ? "vectors that were brought" : target
        return passagePrefix.isEmpty ? name : "\(name) with the prefix '\(passagePrefix)'"
    }
}
