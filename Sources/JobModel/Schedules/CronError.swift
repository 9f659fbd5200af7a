/// Why a text is not a cron expression.
public struct CronError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The field that is wrong, such as `hour`; nil where it is the whole.
    public let field: String?
    /// What is wrong, in a clause.
    public let problem: String

    init(_ problem: String, in field: CronField? = nil) {
        self.problem = problem
        self.field = field?.name
    }

    /// The message, as users see it.
    public var description: String { field.map { "\($0): \(problem)" } ?? problem }
}
