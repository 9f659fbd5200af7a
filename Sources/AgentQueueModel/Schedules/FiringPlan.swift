/// What a schedule does when it is due.
package struct FiringPlan: Sendable, Equatable {
    /// The firing to make (wall clock, ms); nil if all that were due are skipped.
    package var moment: Int64?
    /// When the schedule is next due; nil if no future time matches. Not later than now if there are more missed firings to make up for.
    package var next: Int64?

    /// How late a firing may be and still count as on time, in ms.
    package static let grace: Int64 = 60_000

    /// Decides what to do.
    /// - Parameters:
    ///   - due: when the schedule was due (wall clock, ms), not later than `now`.
    ///   - most: how many of the latest missed firings `all` makes up for.
    package static func make(
        _ cron: CronExpression, in zone: some ZoneOffsets, due: Int64, now: Int64, missed: MissedFirings, most: Int
    ) -> FiringPlan {
        switch missed {
        case .skip:
            guard due < now - grace else { return FiringPlan(moment: due, next: cron.next(after: due, in: zone)) }
            guard let latest = cron.next(after: now - grace - 1, in: zone) else { return FiringPlan(moment: nil, next: nil) }
            guard latest <= now else { return FiringPlan(moment: nil, next: latest) }
            return FiringPlan(moment: latest, next: cron.next(after: latest, in: zone))
        case .once:
            return FiringPlan(moment: due, next: cron.next(after: now, in: zone))
        case .all:
            let moment = oldest(of: most, cron, in: zone, from: due, through: now)
            return FiringPlan(moment: moment, next: cron.next(after: moment, in: zone))
        }
    }

    /// The first of the last `most` firings that were due. It looks back in growing steps, so that it need not count through a year of
    /// minutes.
    private static func oldest(
        of most: Int, _ cron: CronExpression, in zone: some ZoneOffsets, from due: Int64, through now: Int64
    ) -> Int64 {
        var span: Int64 = 3_600_000
        while true {
            let start = max(due - 1, now - span)
            var moments: [Int64] = []
            var moment = start < due ? due : cron.next(after: start, in: zone)
            while let found = moment, found <= now {
                moments.append(found)
                moment = cron.next(after: found, in: zone)
            }
            if moments.count >= most { return moments[moments.count - most] }
            if start < due { return moments.first ?? due }
            span *= 2
        }
    }
}

/// What a schedule's firing adds to the queue.
package enum Firing: Sendable, Equatable {
    case job(NewJob)
    /// A run of a pipeline.
    case run(NewRun)
}

/// Turns a schedule's stored work into what is added to the queue, using the configuration of the process in which it fires.
package protocol FiringMaker: Sendable {
    /// Creates what a firing adds.
    /// - Parameters:
    ///   - work: ``Schedule/work``.
    ///   - key: the unique key it gets, so that no firing is made twice.
    ///   - now: wall clock, ms.
    /// - Throws: an error with a sentence that says why, if it cannot be created.
    func make(_ work: String, key: String, now: Int64) throws -> Firing

    /// The clocks of a time zone by name, such as `Europe/Lisbon`; nil if there is no such zone.
    func zone(named name: String) -> (any ZoneOffsets)?

    /// The name of the machine's time zone as of now; nil if it cannot be told.
    func machineZone() -> String?
}
