import AgentQueueModel
import Testing

@Suite struct FiringPlanTests {
    private static let due = "2026-11-20T07:00:00Z"

    private func plan(_ cron: String, now: String, _ missed: MissedFirings, most: Int = 1) throws -> [String?] {
        let plan = FiringPlan.make(
            try CronExpression(cron), in: try FoundationZone("UTC"), due: try FoundationZone.time(Self.due),
            now: try FoundationZone.time(now), missed: missed, most: most)
        return [plan.moment, plan.next].map { $0.map(FoundationZone.text) }
    }

    @Test(arguments: MissedFirings.allCases)
    func `one on time is made, whatever the policy`(missed: MissedFirings) throws {
        #expect(
            try plan("0 7 * * *", now: "2026-11-20T07:00:01Z", missed, most: 3) == ["2026-11-20T07:00:00Z", "2026-11-21T07:00:00Z"])
        #expect(
            try plan("0 7 * * *", now: "2026-11-20T07:01:00Z", missed, most: 3) == ["2026-11-20T07:00:00Z", "2026-11-21T07:00:00Z"])
    }

    @Test func `skip passes over what is later than the grace`() throws {
        #expect(try plan("0 7 * * *", now: "2026-11-20T07:01:01Z", .skip) == [nil, "2026-11-21T07:00:00Z"])
        #expect(try plan("0 7 * * *", now: "2026-11-23T07:00:30Z", .skip) == ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"])
    }

    @Test func `once makes one for all`() throws {
        #expect(try plan("0 7 * * *", now: "2026-11-23T12:00:00Z", .once) == ["2026-11-20T07:00:00Z", "2026-11-24T07:00:00Z"])
    }

    @Test func `all makes each, the oldest of those that it may`() throws {
        #expect(
            try plan("0 7 * * *", now: "2026-11-23T12:00:00Z", .all, most: 10) == ["2026-11-20T07:00:00Z", "2026-11-21T07:00:00Z"])
        #expect(try plan("0 7 * * *", now: "2026-11-23T12:00:00Z", .all, most: 2) == ["2026-11-22T07:00:00Z", "2026-11-23T07:00:00Z"])
        #expect(try plan("0 7 * * *", now: "2026-11-23T12:00:00Z", .all, most: 1) == ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"])
        // A year of minutes.
        #expect(
            try plan("* * * * *", now: "2027-11-20T07:00:30Z", .all, most: 100) == ["2027-11-20T05:21:00Z", "2027-11-20T05:22:00Z"])
    }
}
