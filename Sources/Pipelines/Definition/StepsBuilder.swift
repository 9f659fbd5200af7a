/// Writes the steps of a pipeline one below the other.
@resultBuilder
public enum StepsBuilder {
    /// A step.
    public static func buildExpression(_ step: Step) -> [Step] { [step] }
    /// A group.
    public static func buildExpression(_ group: Group) -> [Step] { [group.step] }
    /// Steps made elsewhere.
    public static func buildExpression(_ steps: [Step]) -> [Step] { steps }
    /// One after the other.
    public static func buildBlock(_ parts: [Step]...) -> [Step] { parts.flatMap(\.self) }
    /// `if` without `else`.
    public static func buildOptional(_ part: [Step]?) -> [Step] { part ?? [] }
    /// `if`.
    public static func buildEither(first: [Step]) -> [Step] { first }
    /// `else`.
    public static func buildEither(second: [Step]) -> [Step] { second }
    /// `for`.
    public static func buildArray(_ parts: [[Step]]) -> [Step] { parts.flatMap(\.self) }
}
