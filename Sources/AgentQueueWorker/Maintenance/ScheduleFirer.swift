import AgentQueueModel
import AgentQueueStore
import Logging

/// Fires due schedules. Safe in any number of processes: each firing happens in one of them.
struct ScheduleFirer {
    let store: QueueStore
    let maker: any FiringMaker
    let logger: Logger

    /// The maximum number of firings in one round, so that other maintenance is not delayed.
    private static let maxPerRound = 200

    /// Fires due schedules. Returns when the next one is due (wall clock, ms), which may be now; nil if there is none.
    /// - Throws: `StoreError` if the store fails. What is due stays due.
    func fireDue() async throws -> Int64? {
        var rest = Self.maxPerRound
        while rest > 0 {
            let due = try store.schedules.due(limit: min(rest, 50))
            if due.isEmpty { break }
            for schedule in due { try await fire(schedule) }
            rest -= due.count
        }
        return try store.maintenance.pending().nextFiring
    }

    /// Recomputes when schedules that are not due yet will fire, because the clock or the machine's time zone may have been set since. A
    /// moment that has fired does not fire again.
    /// - Parameter clockWasSet: whether the clock has been set, so that a stored time may be too early. A time that is too late is corrected
    ///   in any case.
    func realign(clockWasSet: Bool) async throws {
        for schedule in try store.schedules.list() {
            let name = schedule.followsMachine ? maker.machineZone() ?? schedule.timeZone : schedule.timeZone
            let now = store.clock.wall()
            // A schedule whose next time cannot be computed here reports that when it is due.
            guard let due = schedule.nextAt, due > now, let cron = try? CronExpression(schedule.cron), let zone = maker.zone(named: name),
                let next = cron.next(after: now, in: zone), next < due || (clockWasSet && next != due) || name != schedule.timeZone
            else { continue }
            if try await store.schedules.realign(schedule, next: next, timeZone: name), name != schedule.timeZone {
                logger.info("schedule \(schedule.name) follows the machine's time zone, which is \(name) now")
            }
        }
    }

    private func fire(_ schedule: Schedule) async throws {
        guard let due = schedule.nextAt else { return }
        guard let cron = try? CronExpression(schedule.cron), let zone = maker.zone(named: schedule.timeZone) else {
            let reason = "its expression or its time zone, \(schedule.timeZone), is not known to this program"
            if try await store.schedules.skip(schedule, next: nil, error: reason) { say(schedule, reason) }
            return
        }
        let now = store.clock.wall()
        let plan = FiringPlan.make(cron, in: zone, due: due, now: now, missed: schedule.missed, most: schedule.most)
        guard let moment = plan.moment else {
            _ = try await store.schedules.skip(schedule, next: plan.next, error: nil)
            return
        }
        do {
            let firing = try maker.make(schedule.work, key: "schedule/\(schedule.id)/\(moment / 1_000)", now: now)
            guard try await store.schedules.fire(schedule, firing, next: plan.next) else { return }
            logger.info("schedule \(schedule.name) fired")
        } catch let error as StoreError where error.kind != .conflict && error.kind != .notFound {
            throw error
        } catch {
            // The next firing may succeed: once a missing provider is configured again, say.
            if try await store.schedules.skip(schedule, next: plan.next, error: "\(error)") { say(schedule, "\(error)") }
        }
    }

    private func say(_ schedule: Schedule, _ reason: String) {
        logger.warning("schedule \(schedule.name) could not fire", metadata: ["reason": "\(reason)"])
    }
}
