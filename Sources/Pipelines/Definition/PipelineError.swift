/// A pipeline that cannot be used: what is wrong, where, and what to do, in one sentence.
public struct PipelineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, as it was named; nil where it is about no file.
    public var path: String?
    /// The line in that file, from 1.
    public var line: Int?
    /// The key it is about, such as `steps.plan.prompt`.
    public var key: String?
    /// What is wrong, without place and key.
    public var message: String

    /// Makes an error.
    public init(path: String? = nil, line: Int? = nil, key: String? = nil, message: String) {
        self.path = path
        self.line = line
        self.key = key
        self.message = message
    }

    /// `config/pipelines/coding.yaml:12: steps.plan.prompt: unknown step 'pln' (did you mean 'plan'?)`.
    public var description: String {
        let place = path.map { path in line.map { "\(path):\($0): " } ?? "\(path): " } ?? ""
        return place + (key.map { "\($0): " } ?? "") + message
    }
}
