import AgentQueueModel
import AgentQueueStore
import Logging

/// Fires the schedules that are due. Safe in any number of processes: one firing is made by one of them.
struct ScheduleFirer {
    let store: QueueStore
    let maker: any FiringMaker
    let logger: Logger

    /// The most firings of one round: others of its duties wait meanwhile.
    private static let mostPerRound = 200

    /// Fires what is due. Returns when the next schedule is (wall clock, ms), which may be now; nil where none is.
    /// - Throws: `StoreError`, where the store fails: what is due stays due.
    func fireDue() async throws -> Int64? {
        var rest = Self.mostPerRound
        while rest > 0 {
            let due = try store.dueSchedules(limit: min(rest, 50))
            if due.isEmpty { break }
            for schedule in due { try await fire(schedule) }
            rest -= due.count
        }
        return try store.duties().nextFiring
    }

    private func fire(_ schedule: Schedule) async throws {
        guard let due = schedule.nextAt else { return }
        guard let cron = try? CronExpression(schedule.cron), let zone = maker.zone(named: schedule.timeZone) else {
            let reason = "its expression or its time zone, \(schedule.timeZone), is not known to this program"
            if try await store.skip(schedule, next: nil, error: reason) { say(schedule, reason) }
            return
        }
        let now = store.clock.wall()
        let plan = FiringPlan.make(cron, in: zone, due: due, now: now, missed: schedule.missed, most: schedule.most)
        guard let moment = plan.moment else {
            _ = try await store.skip(schedule, next: plan.next, error: nil)
            return
        }
        do {
            let firing = try maker.make(schedule.work, key: "schedule/\(schedule.id)/\(moment / 1_000)", now: now)
            guard try await store.fire(schedule, firing, next: plan.next) else { return }
            logger.info("schedule \(schedule.name) fired")
        } catch let error as StoreError where error.kind != .conflict && error.kind != .notFound {
            throw error
        } catch {
            // The next firing may find what this one lacked: a provider that is configured again, say.
            if try await store.skip(schedule, next: plan.next, error: "\(error)") { say(schedule, "\(error)") }
        }
    }

    private func say(_ schedule: Schedule, _ reason: String) {
        logger.warning("schedule \(schedule.name) could not fire", metadata: ["reason": "\(reason)"])
    }
}
