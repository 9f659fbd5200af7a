/// Several calls in place of one: to several targets, or several to each.
public struct Ensemble: Sendable, Equatable {
    /// What is called.
    public var targets: Targets
    /// How many calls there are to each target.
    public var samples: Amount
    /// How their answers become one output.
    public var combine: Combination
    /// The share of the votes, or the judge's confidence, below which the step fails; nil for none.
    public var confidence: Double?

    /// What an ensemble calls.
    public enum Targets: Sendable, Equatable {
        /// The step's own target.
        case own
        /// These, templates over the inputs alone.
        case names([String])
        /// Those of a list: an input, such as `inputs.targets`.
        case path(String)
    }

    /// How several answers become one output.
    public enum Combination: Sendable, Equatable {
        /// A list of all of them, null in the places of those that failed.
        case all
        /// The one that most gave, compared by a field of it, such as `verdict`, or else whole.
        case vote(on: String?)
        /// The one that a further call chooses.
        case judge(Judge)
    }

    /// How many members an ensemble may have.
    public static let maxMembers = 100

    /// Makes one.
    public init(_ targets: Targets = .own, samples: Amount = 1, combine: Combination, confidence: Double? = nil) {
        self.targets = targets
        self.samples = samples
        self.combine = combine
        self.confidence = confidence
    }
}
