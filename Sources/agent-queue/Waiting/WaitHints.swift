import AgentQueueModel
import AgentQueueReports
import AgentQueueStore

/// Says on standard error why the jobs that a command waits for do not go on: within a few seconds, and again when the reason changes.
///
/// A loop that waits asks it in every turn; turns come at least once a second.
struct WaitHints {
    private let session: Session
    private let store: QueueStore
    private var diagnosis: WaitDiagnosis?
    private var nextLook = 0.0
    /// Since when each cause has been found without a gap, in seconds.
    private var foundSince: [String: Double] = [:]
    /// When a cause was last said, in seconds.
    private var saidAt: [String: Double] = [:]
    /// Whether this process runs the jobs itself.
    var runsHere = false
    /// What holds the jobs up now.
    private(set) var current: [String] = []

    /// Seconds between two looks.
    private static let interval = 2.0
    /// Seconds that a cause must last which may pass by itself.
    private static let patience = 4.0
    /// A cause that comes and goes is repeated no sooner than after this many seconds.
    private static let silence = 60.0
    /// How many jobs are looked at: many wait for the same reason.
    static let maxJobs = 20

    init(_ session: Session, _ store: QueueStore) {
        self.session = session
        self.store = store
    }

    /// Says what is new, if a look is due.
    ///
    /// - Parameters:
    ///   - clear: Removes what the command has drawn on the terminal's current line; called before anything is said.
    ///   - jobs: The unfinished jobs, or some of them.
    mutating func say(_ clear: () throws -> Void = {}, about jobs: () throws -> [Job]) async throws {
        let news = try await look(at: jobs)
        guard !news.isEmpty else { return }
        try clear()
        for sentence in news { Diagnostics.say("waiting: \(sentence)") }
    }

    /// Looks, if that is due, and returns what is to be said.
    mutating func look(at jobs: () throws -> [Job]) async throws -> [String] {
        let seconds = Now.seconds
        guard seconds >= nextLook else { return [] }
        // Where looking is slow, as in a batch of a million jobs, it is done less often.
        defer { nextLook = Now.seconds + max(Self.interval, (Now.seconds - seconds) * 20) }
        if diagnosis == nil {
            diagnosis = try await WaitDiagnosis(session.settings, environment: session.environment, store, now: Now.milliseconds)
        }
        guard var diagnosis else { return [] }
        let reasons = try diagnosis.reasons(for: try jobs(), runsHere: runsHere, now: Now.milliseconds)
        self.diagnosis = diagnosis
        foundSince = Dictionary(uniqueKeysWithValues: reasons.map { ($0.cause, foundSince[$0.cause] ?? seconds) })
        let due = reasons.filter { reason in
            // A script may start its worker a moment later; a person sees at once what is missing.
            guard reason.isFleeting, !(reason == .noWorker && Screen.error.isTerminal) else { return true }
            return seconds - (foundSince[reason.cause] ?? seconds) >= Self.patience
        }
        current = due.map(\.advice)
        saidAt = saidAt.filter { foundSince[$0.key] != nil || seconds - $0.value < Self.silence }
        return due.filter { saidAt.updateValue(seconds, forKey: $0.cause) == nil }.map(\.advice)
    }
}

extension WaitReason {
    /// The reason, and the command that ends it.
    var advice: String { sentence + (pausedQueue.map { "; run 'agent-queue resume \($0)'" } ?? "") }
}
