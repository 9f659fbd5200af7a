/// Where the keys of a pipeline stand in its file.
struct Positions {
    private var lines: [String: Int] = [:]
    private var texts: [String: Int] = [:]

    /// Keeps where a value stands: a single value on its own line, keys and values on that of their key.
    mutating func keep(_ key: String, _ pair: DefinitionNode.Pair) {
        let isSingle = pair.value.text != nil
        lines[key] = isSingle ? pair.value.line ?? pair.line : pair.line ?? pair.value.line
        texts[key] = pair.value.textLine
    }

    /// The line of a key, or else of the nearest that it is part of; of one line of its text, where that is known.
    func line(of key: String, textLine: Int? = nil) -> Int? {
        if let textLine, let first = texts[key] { return first + textLine - 1 }
        var key = Substring(key)
        while true {
            if let line = lines[String(key)] { return line }
            guard let end = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            key = key[..<end]
        }
    }
}
