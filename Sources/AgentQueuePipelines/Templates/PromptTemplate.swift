import AgentQueueModel
import Mustache

/// A text with places for data, read and checked once. What is put in is never read again: tags in data are text.
struct PromptTemplate: Sendable {
    /// As it was written.
    let source: String
    /// What it names.
    let references: [Reference]
    /// The path that it is made of alone, if it is one tag and nothing else: its value can be had whole.
    let solePath: [Expression.Step]?
    private let template: MustacheTemplate

    /// Stands before names of the outermost level in what the library reads, so that no field of data can be taken for one.
    /// No tag that is written can have it.
    static let rootMark = "*"
    /// The place in the list that the innermost section goes through, as the library reads it.
    static let position = rootMark + "position"

    init(source: String, marked: String, references: [Reference], solePath: [Expression.Step]?) throws {
        self.source = source
        self.references = references
        self.solePath = solePath
        // The line break belongs to the pragma: the library takes both away.
        template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + marked)
    }

    /// The text with data put in.
    /// - Parameters:
    ///   - values: an object with what the template names.
    ///   - limit: the most bytes it may have.
    /// - Returns: nil where it would have more.
    func text(with values: JSONValue, limit: Int = JobLimits.maxPromptBytes) -> String? {
        let budget = RenderBudget(bytes: limit, sectionBytes: source.utf8.count)
        let text = template.render(TemplateRoot(values: values, budget: budget))
        return budget.isSpent || text.utf8.count > limit ? nil : text
    }
}

extension PromptTemplate: Equatable {
    /// The same text is the same template.
    static func == (one: PromptTemplate, other: PromptTemplate) -> Bool { one.source == other.source }
}

/// What writing out a template may still take. Values that are repeated in sections would make a text of any length.
final class RenderBudget {
    private var bytes: Int
    private var repeated: Int
    /// What one time through a section may add at most, besides values.
    private let sectionBytes: Int
    /// Whether more was asked for than there is.
    private(set) var isSpent = false

    /// - Parameters:
    ///   - bytes: that values may have together.
    ///   - sectionBytes: the bytes of the template.
    init(bytes: Int, sectionBytes: Int) {
        self.bytes = bytes
        self.sectionBytes = sectionBytes
        repeated = 16 * bytes
    }

    /// Takes a value's bytes; false where they are too many.
    func take(_ count: Int) -> Bool {
        bytes -= count
        if bytes < 0 { isSpent = true }
        return !isSpent
    }

    /// Takes one time through a section; false where that is too often.
    func takeRound() -> Bool {
        repeated -= sectionBytes
        if repeated < 0 { isSpent = true }
        return !isSpent
    }
}
