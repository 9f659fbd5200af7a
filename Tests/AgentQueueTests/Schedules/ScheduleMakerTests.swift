import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import AgentQueueWorker
import Foundation
import Logging
import Testing

@testable import AgentQueue

@Suite struct ScheduleMakerTests {
    private static var settings: Settings {
        var settings = Settings(database: "/nowhere")
        settings.notifications["pager"] = NotificationSettings()
        return settings
    }

    private static func maker(_ settings: Settings = Self.settings) -> ScheduleMaker {
        ScheduleMaker(settings)
    }

    @Test func `a job's draft is kept as a line, and made anew each time`() throws {
        var draft = JobDraft()
        draft.prompt = "say \"hi\"\n{{x}}"
        draft.system = "brief"
        draft.maxTokens = 10
        draft.temperature = 0.5
        draft.schema = ["type": "object"]
        draft.sample = 2
        draft.queue = "q"
        draft.priority = 2
        draft.delay = .milliseconds(1_500)
        draft.expiresIn = .seconds(60)
        draft.maxAttempts = 3
        draft.timeout = .milliseconds(250)
        draft.budget = 0.25
        draft.customID = "c"
        draft.tags = ["t"]
        draft.batch = "b"
        draft.metadata = ["k": "v"]
        draft.cacheTTL = .seconds(90)
        draft.onFinish = ["pager"]
        draft.recall = 3
        draft.namespaces = ["n"]
        let work = try ScheduledWork.job(draft)
        #expect(try ScheduledWork(work.text) == work)
        guard case .job(let line) = work, case .job(var job) = try Self.maker().make(work.text, key: "k/1", now: 1_000) else {
            Issue.record("not a job")
            return
        }
        let context = Self.settings.intakeContext(now: 1_000)
        #expect(try JobLine(defaults: JobDraft(), context: context).draft(line.text) == draft)
        #expect(job.uniqueKey == "k/1")
        job.uniqueKey = nil
        let straight = try draft.validated(in: context)
        #expect(job == straight)
    }

    @Test func `what has no meaning each time is refused`() throws {
        var draft = JobDraft()
        draft.prompt = "x"
        draft.at = Date(milliseconds: 1)
        #expect(throws: InputError.self) { try ScheduledWork.job(draft) }
        draft.at = nil
        draft.after = [1]
        #expect(throws: InputError.self) { try ScheduledWork.job(draft) }
        draft.after = []
        draft.uniqueKey = "k"
        #expect(throws: InputError.self) { try ScheduledWork.job(draft) }
    }

    @Test func `a run is resolved by its name when it fires`() throws {
        let run = ScheduledRun(
            name: "summarize", inputs: ["documents": ["weather"]], options: RunOptions(queue: "q", tags: ["t"]), onFinish: ["pager"])
        guard case .run(let made) = try Self.maker().make(ScheduledWork.run(run).text, key: "k/2", now: 0) else {
            Issue.record("not a run")
            return
        }
        #expect(made.inputs["documents"] == ["weather"])
        // What it does not say is as the pipeline says.
        #expect(made.inputs["words"] == 200)
        #expect(made.first.isDue)
        #expect(made.options == run.options)
        #expect(made.uniqueKey == "k/2")
        #expect(made.onFinish == ["pager"])
    }

    @Test(
        arguments: [
            ("nonsense", "what the schedule does cannot be read"), ("{}", "neither a job nor a run"),
            (#"{"job": {"prompt": "x", "model": "nowhere/m"}}"#, "unknown provider 'nowhere'"),
            (#"{"job": {"prompt": "x", "on_finish": ["pagre"]}}"#, "unknown notification 'pagre' (did you mean 'pager'?)"),
            (#"{"run": {"name": "summarize", "inputs": []}}"#, #""run.inputs" is a list, not an object"#),
            (#"{"run": {"name": "summarize", "inputs": {}, "options": {"tags": 1}}}"#, #""options.tags": expected a list"#),
            (#"{"run": {"name": "summarize", "inputs": {}, "on_finish": [1]}}"#, #""run.on_finish" is not a list of strings alone"#),
            (#"{"run": {"name": "summarise", "inputs": {}}}"#, "did you mean 'summarize'?"),
            (#"{"run": {"name": "summarize", "inputs": {"documents": ["x"], "words": "many"}}}"#, "words"),
        ])
    func `what cannot be made is said`(work: String, message: String) {
        #expect { _ = try Self.maker().make(work, key: "k", now: 0) } throws: { "\($0)".contains(message) }
    }

    @Test func `zones are found by their names alone`() {
        #expect(SystemZone("Europe/Lisbon")?.offset(at: 1_782_000_000) == 3_600)
        #expect(SystemZone("UTC")?.text(0) == "1970-01-01 00:00 +00:00")
        #expect(SystemZone("Asia/Kolkata")?.text(1_795_305_600_000) == "2026-11-22 05:30 +05:30")
        for name in ["CET", "EST", "Europe/Lisbn", "", "../../etc/passwd", "+02:00"] { #expect(SystemZone(name) == nil, "\(name)") }
    }

    @Test func `upkeep fires what is due, and goes on after what cannot be`() async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/queue.db")
            defer { store.close() }
            let now = store.clock.wall()
            func add(_ name: String, _ work: String, missed: MissedFirings = .all, most: Int = 1, cron: String = "@yearly") async throws {
                _ = try await store.schedules.add(
                    NewSchedule(
                        name: name, cron: cron, timeZone: "UTC", missed: missed, most: most, work: work, nextAt: now - 600_000))
            }
            let job = #"{"job": {"prompt": "x"}}"#
            try await add("good", job)
            try await add("bad", #"{"job": {"prompt": "x", "model": "nowhere/m"}}"#)
            try await add("missed", job, missed: .skip)
            try await add("minutes", job, most: 4, cron: "* * * * *")
            try await add("unreadable", job, cron: "nonsense")
            let upkeep = Maintainer(
                store: store, logger: Logger.silent, firings: Self.maker())
            try await withThrowingTaskGroup { group in
                group.addTask { try await upkeep.run() }
                try await until("every schedule has gone on", within: .seconds(120)) { try store.schedules.due().isEmpty }
                group.cancelAll()
            }
            let schedules = Dictionary(uniqueKeysWithValues: try store.schedules.list().map { ($0.name, $0) })
            #expect(schedules["good"]?.firings == 1)
            #expect(schedules["good"]?.lastError == nil)
            #expect(schedules["bad"]?.firings == 0)
            #expect(schedules["bad"]?.lastError?.contains("unknown provider 'nowhere'") == true)
            #expect(schedules["bad"]?.nextAt.map { $0 > now } == true)
            #expect(schedules["missed"]?.firings == 0)
            #expect(schedules["missed"]?.lastError == nil)
            // More, where minutes began meanwhile.
            #expect((4...7).contains(schedules["minutes"]?.firings ?? 0))
            #expect(schedules["unreadable"]?.nextAt == nil)
            #expect(schedules["unreadable"]?.lastError != nil)
            let jobs = try store.jobs.list(JobFilter(), limit: 100)
            #expect(Set(jobs.compactMap(\.uniqueKey)).count == jobs.count)
            #expect(jobs.count == 1 + Int(schedules["minutes"]?.firings ?? 0))
        }
    }

    /// A maker on a machine whose zone was set to another.
    private struct MovedMaker: FiringMaker {
        let maker: ScheduleMaker
        func make(_ work: String, key: String, now: Int64) throws -> Firing { try maker.make(work, key: key, now: now) }
        func zone(named name: String) -> (any ZoneOffsets)? { maker.zone(named: name) }
        func machineZone() -> String? { "Asia/Kolkata" }
    }

    @Test func `what is not due is reckoned anew when the clock or the machine's zone was set`() async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/queue.db")
            defer { store.close() }
            let now = store.clock.wall()
            let cron = try CronExpression("@yearly")
            func add(_ name: String, follows: Bool, next: Int64) async throws {
                var schedule = NewSchedule(
                    name: name, cron: cron.description, timeZone: "Europe/Lisbon", missed: .skip, work: #"{"job": {"prompt": "x"}}"#,
                    nextAt: next)
                schedule.followsMachine = follows
                _ = try await store.schedules.add(schedule)
            }
            let (portugal, india) = (try #require(SystemZone("Europe/Lisbon")), try #require(SystemZone("Asia/Kolkata")))
            let lisbon = try #require(cron.next(after: now, in: portugal))
            let kolkata = try #require(cron.next(after: now, in: india))
            try await add("machine", follows: true, next: lisbon)
            try await add("fixed", follows: false, next: lisbon)
            // Set while the clock was a year ahead.
            try await add("late", follows: false, next: lisbon + 365 * 86_400_000)
            try await add("paused", follows: true, next: lisbon)
            _ = try await store.schedules.pause(schedule: 4)
            let maintainer = Maintainer(store: store, logger: Logger.silent, firings: MovedMaker(maker: Self.maker()))
            try await withThrowingTaskGroup { group in
                group.addTask { try await maintainer.run() }
                try await until("the schedule has the machine's zone", within: .seconds(120)) {
                    try store.schedules.get(1)?.timeZone == "Asia/Kolkata" && store.schedules.get(3)?.nextAt == lisbon
                }
                group.cancelAll()
            }
            let schedules = try store.schedules.list()
            #expect(schedules.map(\.name) == ["fixed", "late", "machine", "paused"])
            #expect(schedules.map(\.timeZone) == ["Europe/Lisbon", "Europe/Lisbon", "Asia/Kolkata", "Europe/Lisbon"])
            #expect(schedules.map(\.nextAt) == [lisbon, lisbon, kolkata, nil])
            #expect(schedules.allSatisfy { $0.firings == 0 })
        }
    }
}
