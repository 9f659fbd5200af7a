/// Whether calls may begin.
enum Gate: Equatable {
    /// So many; exactly one if it is a probe.
    case open(count: Int, isProbe: Bool)
    /// None now.
    case closed(Closure)
    /// Not for this job, ever, for the reason given.
    case never(String)

    /// Why none may begin.
    struct Closure: Equatable {
        /// Until when (wall clock, ms); nil: until something ends.
        var until: Int64?
        /// Because it does not work, and not because it is busy.
        var isFault: Bool
        /// Since when claims have waited for something to end; nil where none has.
        var waitingSince: Int64?
    }

    /// Through both.
    func and(_ other: Gate) -> Gate {
        switch (self, other) {
        case (.never, _): self
        case (_, .never): other
        case (.open(let count, let isProbe), .open(let otherCount, let otherIsProbe)):
            .open(count: min(count, otherCount), isProbe: isProbe || otherIsProbe)
        case (.closed, .open): self
        case (.open, .closed): other
        case (.closed(let one), .closed(let other)):
            .closed(
                Closure(
                    until: one.until.flatMap { until in other.until.map { max(until, $0) } }, isFault: one.isFault || other.isFault,
                    waitingSince: [one.waitingSince, other.waitingSince].compactMap(\.self).min()))
        }
    }
}
