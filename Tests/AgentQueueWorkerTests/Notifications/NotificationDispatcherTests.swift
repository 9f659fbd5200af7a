import AgentQueueModel
import AgentQueueTestSupport
import Logging
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Targets that hang or are gone, among others.
@Suite struct NotificationDispatcherTests {
    /// Each job of a text ends, and is told to the notification of that name.
    private func end(_ notifications: [String], _ bench: Bench) async throws {
        let ids = try await bench.store.jobs.enqueue(
            notifications.enumerated().map { number, name in
                var job = NewJob(
                    kind: .embed, target: Target("local/e")!, body: "{\"input\":[\"\(number)\"]}",
                    digest: ModelRequest(kind: .embed, target: Target("local/e")!, body: ["input": .string("\(number)")]).digest(
                        identity: "test"))
                job.onFinish = [name]
                return job
            }
        ).map(\.id)
        _ = try await bench.store.jobs.cancel(ids: ids)
    }

    private func states(_ bench: Bench, of notification: String) throws -> [JobNotification.State: Int] {
        try bench.store.notifications.list(limit: 1_000).filter { $0.notification == notification }
            .reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    }

    @Test func `a target that hangs delays no other`() async throws {
        try await withBench { bench in
            try await end(Array(repeating: "hangs", count: 64) + ["fine"], bench)
            let sender = ScriptedSender(["hangs": .hangs, "fine": .delivers])
            let dispatcher = NotificationDispatcher(store: bench.store, sender: sender, logger: .silent)
            let running = Task { try await dispatcher.run() }
            try await until("the other is told") { try states(bench, of: "fine") == [.delivered: 1] }
            try await until("its slots are taken") { sender.count("hangs") == NotificationDispatcher.slots }
            running.cancel()
            try await running.value
            // Attempts that are broken off do not count.
            #expect(try bench.int("SELECT sum(attempts) FROM notices WHERE notification = 'hangs'") == 0)
        }
    }

    @Test func `a target that does not answer is left alone`() async throws {
        try await withBench { bench in
            try await end(Array(repeating: "gone", count: 100) + ["fine"], bench)
            let sender = ScriptedSender(["gone": .isGone, "fine": .delivers])
            let log = LogLines()
            let dispatcher = NotificationDispatcher(store: bench.store, sender: sender, logger: log.logger)
            let running = Task { try await dispatcher.run() }
            try await until("it is left alone") { log.all.contains { $0.contains("'gone' is left alone for 30s") } }
            try await until("the other is told") { try states(bench, of: "fine") == [.delivered: 1] }
            running.cancel()
            try await running.value
            // Those under way when the fifth had failed ended, too.
            #expect((5...(NotificationDispatcher.slots * 2)).contains(sender.count("gone")))
            #expect(try bench.int("SELECT count(*) FROM notices WHERE notification = 'gone' AND attempts = 0") >= 68)
        }
    }

    @Test func `what cannot be delivered before the end is left for the next worker`() async throws {
        try await withBench { bench in
            try await end(["hangs", "gone", "fine"], bench)
            let sender = ScriptedSender(["hangs": .hangs, "gone": .isGone, "fine": .delivers])
            let log = LogLines()
            let dispatcher = NotificationDispatcher(
                store: bench.store, sender: sender, logger: log.logger, deliversRest: { true }, restLimit: .milliseconds(300))
            let running = Task { try await dispatcher.run() }
            try await until("all are tried") { sender.count("hangs") == 1 && sender.count("fine") == 1 && sender.count("gone") == 1 }
            dispatcher.beginShutdown()
            try await within(.seconds(10), "it ends") { try await running.value }
            #expect(log.all.contains { $0.contains("2 notifications are left for the next worker") })
            #expect(try states(bench, of: "fine") == [.delivered: 1])
            #expect(try bench.int("SELECT attempts FROM notices WHERE notification = 'hangs' AND state = 'waiting'") == 0)
        }
    }
}

/// Sends nothing, and comes to what a test says.
private final class ScriptedSender: NotificationSender {
    enum Behaviour { case delivers, hangs, isGone }

    private let behaviours: [String: Behaviour]
    private let sent = Mutex<[String: Int]>([:])

    init(_ behaviours: [String: Behaviour]) { self.behaviours = behaviours }

    /// How many attempts have begun.
    func count(_ notification: String) -> Int { sent.withLock { $0[notification] ?? 0 } }

    func bounds(of notification: String) -> (timeout: Int64, maxAttempts: Int)? { (60_000, 10) }

    func send(_ notice: JobNotification) async -> NotificationOutcome {
        sent.withLock { $0[notice.notification, default: 0] += 1 }
        switch behaviours[notice.notification] {
        case .delivers?: return .delivered
        case .isGone?, nil: return .unanswered("nobody is there")
        case .hangs?:
            do { try await Gate().wait() } catch { return .broken }
            return .delivered
        }
    }
}
