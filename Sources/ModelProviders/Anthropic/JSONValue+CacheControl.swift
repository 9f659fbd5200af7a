import JobModel

extension JSONValue {
    /// The block's mark for the prompt cache, or that of the last block inside it.
    var cacheControl: JSONValue? {
        if let mark = self["cache_control"], !mark.isNull { return mark }
        return self["content"]?.array?.reversed().lazy.compactMap(\.cacheControl).first
    }

    /// Whether the block, or one inside it, is marked for the prompt cache.
    var isMarked: Bool { cacheControl != nil }

    /// The block with a mark of its own; as it is where it has one.
    func marked(_ mark: JSONValue) -> JSONValue {
        guard let members, !members.contains(where: { $0.key == "cache_control" && !$0.value.isNull }) else { return self }
        return .object(members.filter { $0.key != "cache_control" } + [.init("cache_control", mark)])
    }
}
