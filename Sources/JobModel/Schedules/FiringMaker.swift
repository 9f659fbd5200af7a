/// Makes of a schedule's words what is added to the queue: by the configuration of the process where it fires.
public protocol FiringMaker: Sendable {
    /// Makes what a firing adds.
    /// - Parameters:
    ///   - work: ``Schedule/work``.
    ///   - key: the unique key that it gets, so that no firing is made twice.
    ///   - now: wall clock, ms.
    /// - Throws: where it cannot be made, with a sentence that says why.
    func make(_ work: String, key: String, now: Int64) throws -> Firing

    /// The clocks of a time zone, by a name such as `Europe/Lisbon`; nil where there is no such zone.
    func zone(named name: String) -> (any ZoneOffsets)?
}
