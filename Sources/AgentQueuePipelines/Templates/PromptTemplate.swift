import AgentQueueModel
import Mustache

/// A parsed and checked text with placeholders. What is filled in is never parsed: tags in data are plain text.
struct PromptTemplate: Sendable {
    /// As written.
    let source: String
    /// The names and paths that it uses.
    let references: [Reference]
    /// The path, if it consists of one tag and nothing else. Then its value can be used whole.
    let solePath: [Expression.Step]?
    private let template: MustacheTemplate

    /// Precedes outermost names in the text that the library parses, so that no field of data can be mistaken for one. It cannot occur in a
    /// tag that was written.
    static let rootMark = "*"
    /// The number of the current element of the innermost section, for the library.
    static let position = rootMark + "position"

    /// An opening brace as text: two of them would be a tag to the library. No step's name begins with a digit.
    static let brace = rootMark + "0"

    init(source: String, marked: String, references: [Reference], solePath: [Expression.Step]?) throws {
        self.source = source
        self.references = references
        self.solePath = solePath
        // The line break belongs to the pragma, and the library removes both.
        template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + marked)
    }

    /// The text with data filled in.
    /// - Parameters:
    ///   - values: an object with everything that the template names.
    ///   - limit: its most bytes.
    /// - Returns: nil if it would be longer.
    func text(with values: JSONValue, limit: Int = JobLimits.maxPromptBytes) -> String? {
        let budget = RenderBudget(bytes: limit, sectionBytes: source.utf8.count)
        let text = template.render(TemplateRoot(values: values, budget: budget))
        return budget.isSpent || text.utf8.count > limit ? nil : text
    }
}

extension PromptTemplate: Equatable {
    /// Templates with equal texts are equal.
    static func == (one: PromptTemplate, other: PromptTemplate) -> Bool { one.source == other.source }
}

/// What rendering a template may still use. Sections repeat values, so the text could have any length.
final class RenderBudget {
    private var bytes: Int
    private var repeated: Int
    /// How much one pass through a section may add, besides values.
    private let sectionBytes: Int
    /// Whether the budget was exceeded.
    private(set) var isSpent = false

    /// - Parameters:
    ///   - bytes: for all values together.
    ///   - sectionBytes: the template's size.
    init(bytes: Int, sectionBytes: Int) {
        self.bytes = bytes
        self.sectionBytes = sectionBytes
        repeated = 16 * bytes
    }

    /// Takes a value's bytes from the budget; false if they are too many.
    func take(_ count: Int) -> Bool {
        bytes -= count
        if bytes < 0 { isSpent = true }
        return !isSpent
    }

    /// Takes one pass through a section from the budget; false if there were too many.
    func takeRound() -> Bool {
        repeated -= sectionBytes
        if repeated < 0 { isSpent = true }
        return !isSpent
    }
}
