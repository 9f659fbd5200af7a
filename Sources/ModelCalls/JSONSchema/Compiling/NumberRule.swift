import JobModel

/// What is asked of numbers.
struct NumberRule: Sendable {
    var bounds: [Bound] = []
    var multipleOf: Limit?

    /// A number, and how the schema writes it.
    struct Limit: Sendable {
        var value: ExactNumber
        var shown: String
    }

    /// One end of a range.
    struct Bound: Sendable {
        var kind: Kind
        var limit: Limit

        enum Kind: String, Sendable {
            case minimum
            case maximum
            case exclusiveMinimum
            case exclusiveMaximum

            /// What a value must be, before the number.
            var words: String {
                switch self {
                case .minimum: "at least"
                case .maximum: "at most"
                case .exclusiveMinimum: "greater than"
                case .exclusiveMaximum: "less than"
                }
            }
        }

        func allows(_ number: ExactNumber) -> Bool {
            switch kind {
            case .minimum: number >= limit.value
            case .maximum: number <= limit.value
            case .exclusiveMinimum: number > limit.value
            case .exclusiveMaximum: number < limit.value
            }
        }
    }

    /// Whether it asks nothing.
    var isEmpty: Bool { bounds.isEmpty && multipleOf == nil }
}
