/// How a search went in one namespace.
public struct NamespaceReport: Sendable, Equatable {
    /// The namespace.
    public var namespace: String
    /// How the vectors were gone through; nil where none were.
    public var scan: ScanReport?
    /// How many memories the filter left; nil without a filter.
    public var passed: Int?
    /// How many entries the index took in, and how many it let go, to be as new as the database.
    public var followed = (new: 0, gone: 0)
    /// Whether the index was read from the database anew.
    public var isRebuilt = false
    /// How long each part took, in µs.
    public var microseconds = (index: 0, filter: 0, scan: 0, words: 0)

    /// Makes one.
    public init(namespace: String) { self.namespace = namespace }

    /// Whether all of both is the same.
    public static func == (left: Self, right: Self) -> Bool {
        left.namespace == right.namespace && left.scan == right.scan && left.passed == right.passed && left.followed == right.followed
            && left.isRebuilt == right.isRebuilt && left.microseconds == right.microseconds
    }
}
