/// What is asked of lists.
struct ListRule: Sendable {
    var least: Int?
    var most: Int?
    var isUnique = false
    /// The schemas of the first elements, one each.
    var first: [Int] = []
    /// The schema of all others.
    var rest: Int?
    /// The schema of elements of which there must be some.
    var wanted: Int?
    /// How many of them at least.
    var leastWanted = 1
    /// How many of them at most.
    var mostWanted: Int?

    /// Whether it asks nothing.
    var isEmpty: Bool { least == nil && most == nil && !isUnique && first.isEmpty && rest == nil && wanted == nil }
}
