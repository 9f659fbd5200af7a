import Yams

/// Text that is not YAML, or not good YAML: what is wrong and on which line.
public struct YAMLFault: Error, Equatable, Sendable {
    /// What is wrong, without the place.
    public let message: String
    /// From 1; nil if unknown.
    public let line: Int?

    /// Makes a fault; foreign text in the message must have gone through ``InvalidText/quoted(_:)``.
    public init(_ message: String, line: Int?) {
        self.message = message
        self.line = line
    }

    /// What the parser said of a text.
    public init(_ error: any Error, in text: String) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let setting = context.map { " (\($0.text), which began on line \($0.mark.line))" } ?? ""
            message = "this is not valid YAML: \(problem)\(setting)"
            line = mark.line
        case .reader(let problem, let offset, _, _):
            message = "this is not valid YAML: \(problem)"
            line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let second = Self.lineOfSecond(key, after: context.mark, in: text)
            message = "duplicate key \(InvalidText.quoted(key))" + (second.map { _ in " (first on line \(context.mark.line))" } ?? "")
            line = second ?? context.mark.line
        default:
            message = "this is not valid YAML"
            line = nil
        }
    }

    /// The line on which `key` stands again in the column of its first mark, before anything that stands further left. Nil if it is on no
    /// line of its own (`{ a: 1, a: 2 }`): the parser tells only where the first one is.
    private static func lineOfSecond(_ key: String, after first: Mark, in text: String) -> Int? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let indent = line.prefix { $0 == " " }.count
            let content = line.dropFirst(indent)
            guard !content.isEmpty, !content.hasPrefix("#") else { continue }
            guard indent >= first.column - 1 else { return nil }
            if indent == first.column - 1, [key, "'\(key)'", "\"\(key)\""].contains(where: { content.hasPrefix($0 + ":") }) {
                return index + 1
            }
        }
        return nil
    }
}
