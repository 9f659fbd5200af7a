/// Why a text is not the JSON it should be.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as the end of a sentence.
    public let problem: String
    /// Where, in bytes from the beginning.
    public let offset: Int

    init(_ problem: String, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    /// The message, as users see it; the byte is counted from 1 there, unlike `offset`.
    public var description: String { "not valid JSON at byte \(offset + 1): \(problem)" }
}
