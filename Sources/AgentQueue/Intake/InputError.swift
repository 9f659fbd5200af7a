import AgentQueueModel

/// Why what a user asked cannot become a job: one sentence, without a full stop.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whose fault it is.
    public enum Kind: Sendable {
        /// An option or argument is wrong.
        case usage
        /// The data is wrong: a prompt, a line of JSONL.
        case badData
        /// Reading, or setting aside what a pipe brought, failed.
        case inputOutput
        /// A file that may not be read.
        case permission
    }

    /// What is wrong, and where it can be said, what to do. Holds no raw control or formatting character, and is cut after 2,000
    /// characters.
    public let message: String
    /// Whose fault it is.
    public let kind: Kind

    /// Makes an error; characters that could act on a terminal are written as `\u{1b}`.
    package init(_ message: String, kind: Kind) {
        self.message = Self.printable(message)
        self.kind = kind
    }

    /// The message.
    public var description: String { message }

    /// The same error met in a line of a file: bad data, unless the machine is at fault.
    func inLine(_ number: Int) -> InputError {
        InputError("line \(number): \(message)", kind: kind == .usage ? .badData : kind)
    }

    private static func printable(_ text: String) -> String {
        if text.utf8.count <= 2_000, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        return InvalidText.printable(text, limit: 2_000)
    }
}

extension InputError {
    /// What is wrong with an option.
    /// - Parameters:
    ///   - name: what it is called where it was written.
    ///   - value: what was written; null where it was set in Swift.
    init(_ fault: OptionFault, of name: String, _ value: JSONValue = .null) {
        switch fault {
        case .type(.wholeNumber) where value.number != nil: self.init("\(name) must be a whole number", kind: .badData)
        case .type(let type): self.init("\(name) must be \(type.inJSON), not \(value.kindName)", kind: .badData)
        case .element(let wanted, let element):
            self.init("\(name) must be a list of \(wanted), but holds \(element.kindName)", kind: .badData)
        case .range(let range, let note, let value):
            self.init("\(name) must be \(range)\(note.map { " (\($0))" } ?? ""), not \(value)", kind: .usage)
        case .phrase(let phrase): self.init("\(name) \(phrase)", kind: .usage)
        case .sentence(let sentence): self.init(sentence, kind: .usage)
        case .data(let phrase): self.init("\(name) \(phrase)", kind: .badData)
        }
    }
}
