import AgentQueueModel

/// Why a request cannot become a job or a memory: one sentence, without a full stop.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The cause of an error.
    public enum Kind: Sendable {
        /// An option or argument is wrong.
        case usage
        /// The data is wrong: a prompt, a line of JSONL.
        case badData
        /// Reading the input, or spooling the content of a pipe, failed.
        case inputOutput
        /// A file may not be read.
        case permission
    }

    /// What is wrong and, where possible, what to do about it. Contains no raw control or formatting characters, and is cut after 2,000
    /// characters.
    public let message: String
    /// The cause.
    public let kind: Kind

    /// Makes an error. Characters that could control a terminal are written as `\u{1b}`.
    package init(_ message: String, kind: Kind) {
        self.message = Self.printable(message)
        self.kind = kind
    }

    /// The message.
    public var description: String { message }

    /// This error in a line of a file: `badData`, unless reading failed.
    func inLine(_ number: Int) -> InputError {
        InputError("line \(number): \(message)", kind: kind == .usage ? .badData : kind)
    }

    private static func printable(_ text: String) -> String {
        if text.utf8.count <= 2_000, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        return InvalidText.printable(text, limit: 2_000)
    }
}

extension InputError {
    /// Makes the error for an invalid option.
    /// - Parameters:
    ///   - name: the name of the option as it was written.
    ///   - value: the value as it was written; null if it was set in Swift.
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
