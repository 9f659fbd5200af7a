import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Synchronization
import Testing

/// Real worker processes before servers that say nothing of their limits but when to come again.
@Suite(.serialized) struct HiddenLimitTests {
    private static let isLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil

    /// After the first minute: at least nine tenths of the limit, and at most two calls in a hundred, or two a minute, refused.
    /// - Parameter full: how many calls a bucket holds; nil is a minute's.
    private func checkLimit(_ perMinute: Int, _ kind: HiddenLimitServer.Kind, full: Int? = nil, seconds: Int) async throws {
        let server = HiddenLimitServer(kind, perMinute: perMinute, full: full)
        try await withScene(server.script, configuration: "worker: { concurrency: 5 }") { scene in
            try await scene.enqueueMany(perMinute * (seconds / 60 + 2))
            for _ in 0..<2 { try await scene.worker() }
            try await scene.calls(1)
            // The run's length is the measure itself: nothing is waited for but the time.
            try await Task.sleep(for: .seconds(seconds))
            let (answers, refusals) = server.perMinute(from: 60, to: Double(seconds))
            print(
                "limits: \(kind) of \(perMinute) a minute: \(answers) answered and \(refusals) refused a minute, from second 60 to \(seconds)"
            )
            #expect(answers >= 0.9 * Double(perMinute))
            #expect(refusals <= max(2, 0.02 * (answers + refusals)))
            #expect(try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.discarded) } == 0)
        }
    }

    /// Refusals that have nothing to do with the rate: ten calls at once of 200 ms each, of which one in twenty is refused.
    private func checkNoise(seconds: Int) async throws {
        let server = HiddenLimitServer(.none, perMinute: 0)
        server.refuse(share: 0.05)
        try await withScene(server.script, configuration: "worker: { concurrency: 5 }") { scene in
            try await scene.enqueueMany(60 * seconds)
            for _ in 0..<2 { try await scene.worker() }
            try await scene.calls(1)
            // A measure again: first without refusals, then with them.
            server.refuse(share: 0)
            try await Task.sleep(for: .seconds(seconds / 3))
            server.refuse(share: 0.05)
            try await Task.sleep(for: .seconds(seconds - seconds / 3))
            let without = server.perMinute(from: 2, to: Double(seconds / 3)).answers
            let with = server.perMinute(from: Double(seconds / 3), to: Double(seconds)).answers
            print("limits: \(with) answered a minute with 5 % refused at random, \(without) without")
            #expect(with >= 0.7 * without)
        }
    }

    /// One 429, and full speed within ten seconds of it.
    private func checkStray() async throws {
        let server = HiddenLimitServer(.none, perMinute: 0)
        try await withScene(server.script, configuration: "worker: { concurrency: 5 }") { scene in
            try await scene.enqueueMany(1_500)
            for _ in 0..<2 { try await scene.worker() }
            try await scene.calls(1)
            try await Task.sleep(for: .seconds(8))
            server.refuseOne()
            try await Task.sleep(for: .seconds(17))
            let (before, after) = (server.perMinute(from: 2, to: 8).answers, server.perMinute(from: 18, to: 25))
            print("limits: \(before) answered a minute before a stray refusal, \(after.answers) from ten seconds after it")
            #expect(after.answers >= 0.9 * before && server.perMinute(from: 0, to: 25).refusals > 0)
        }
    }

    /// All at once, in short. It measures rates, which a busy machine may spoil, so it is not among what every change must pass:
    /// `CongestionControlTests` holds the algorithm to the same goals in simulated time.
    @Test(.enabled(if: isLong), .timeLimit(.minutes(4))) func aHiddenLimitIsUsedAndOtherRefusalsSlowNothing() async throws {
        try await withThrowingTaskGroup { group in
            // A small bucket, so that it is used up within the first minute however busy the machine is.
            // Of less than a minute, a single refusal more or less decides.
            group.addTask { try await checkLimit(600, .bucket, full: 100, seconds: 140) }
            group.addTask {
                try await checkStray()
                try await checkNoise(seconds: 36)
            }
            try await group.waitForAll()
        }
    }

    @Test(
        .enabled(if: isLong), .timeLimit(.minutes(12)),
        arguments: [60, 600].flatMap { limit in [HiddenLimitServer.Kind.bucket, .window].map { (limit, $0) } })
    func hiddenLimitsOfTenMinutes(_ perMinute: Int, _ kind: HiddenLimitServer.Kind) async throws {
        try await checkLimit(perMinute, kind, seconds: 600)
    }

    @Test(.enabled(if: isLong), .timeLimit(.minutes(4))) func refusalsAtRandomForThreeMinutes() async throws {
        try await checkNoise(seconds: 180)
    }
}

extension Scene {
    /// Adds short jobs, a thousand in each transaction.
    fileprivate func enqueueMany(_ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 1_000) {
            _ = try await store.jobs.enqueue((start..<min(count, start + 1_000)).map { .asking("\($0)") })
        }
    }
}

/// A server that refuses calls beyond its limit, or at random, with `retry-after` and nothing else. An answer takes 200 ms.
final class HiddenLimitServer: Sendable {
    enum Kind: Sendable {
        /// A bucket that holds a minute's calls and fills evenly.
        case bucket
        /// So many calls in each minute since the first call.
        case window
        case none
    }

    private struct State {
        var start: ContinuousClock.Instant?
        var level: Double
        var filledAt = 0.0
        var window: (number: Int, calls: Int) = (0, 0)
        var share = 0.0
        var refusesNext = false
        var generator = SeededGenerator(seed: 13)
        /// When calls came, in seconds since the first, and whether they were refused.
        var calls: [(at: Double, isRefused: Bool)] = []
    }

    private let kind: Kind
    private let perMinuteLimit: Double
    private let full: Double
    private let state: Mutex<State>

    /// - Parameter full: how many calls a bucket holds; nil is a minute's.
    init(_ kind: Kind, perMinute: Int, full: Int? = nil) {
        self.kind = kind
        perMinuteLimit = Double(perMinute)
        self.full = Double(full ?? perMinute)
        state = Mutex(State(level: self.full))
    }

    /// Refuses this share of calls at random from now on.
    func refuse(share: Double) { state.withLock { $0.share = share } }

    /// Refuses the next call.
    func refuseOne() { state.withLock { $0.refusesNext = true } }

    /// Answers and refusals a minute, from one second since the first call to another.
    func perMinute(from first: Double, to last: Double) -> (answers: Double, refusals: Double) {
        let calls = state.withLock(\.calls).filter { $0.at >= first && $0.at < last }
        let refusals = calls.count { $0.isRefused }
        return (Double(calls.count - refusals) * 60 / (last - first), Double(refusals) * 60 / (last - first))
    }

    var script: Script { Script { [self] in answer($0) } }

    private func answer(_ request: RecordedRequest) -> ScriptedAnswer {
        let wait = state.withLock { state -> Double? in
            let now = ContinuousClock.now
            let start = state.start ?? now
            state.start = start
            let time = (now - start) / .seconds(1)
            let refusal = self.refusal(&state, time)
            state.calls.append((time, refusal != nil))
            return refusal
        }
        guard let wait else { return .echo(request, after: .milliseconds(200)) }
        return ScriptedAnswer(
            429, headers: [("retry-after", "\(max(1, Int(wait.rounded(.up))))")],
            json: #"{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}"#)
    }

    /// How long the call should wait, in seconds; nil if it is accepted.
    private func refusal(_ state: inout State, _ now: Double) -> Double? {
        if state.refusesNext {
            state.refusesNext = false
            return 1
        }
        if state.share > 0, Double.random(in: 0..<1, using: &state.generator) < state.share { return 1 }
        switch kind {
        case .none: return nil
        case .bucket:
            state.level = min(full, state.level + (now - state.filledAt) * perMinuteLimit / 60)
            state.filledAt = now
            guard state.level >= 1 else { return (1 - state.level) * 60 / perMinuteLimit }
            state.level -= 1
        case .window:
            let number = Int(now / 60)
            if number != state.window.number { state.window = (number, 0) }
            guard state.window.calls < Int(perMinuteLimit) else { return Double(number + 1) * 60 - now }
            state.window.calls += 1
        }
        return nil
    }
}
