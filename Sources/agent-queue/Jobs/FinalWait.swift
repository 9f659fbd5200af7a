import JobModel
import QueueStore

/// Waits until jobs are final: by the bell that rings when jobs end, never by the clock.
struct FinalWait {
    let ids: [Int64]
    /// Nil waits for ever.
    let timeout: Duration?
    let session: Session

    /// How many jobs one look asks about. What ends is mostly what is oldest, so each look is at the oldest that are open, and its cost
    /// does not depend on how many there are.
    private static let window = 500

    /// - Throws: `CommandFailure` on a job that does not exist, and when time runs out.
    func run(in store: QueueStore) async throws {
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            let sentence =
                ids.count == 1
                ? "job \(ids[0]) was not final within \(duration)"
                : "not all of the \(Figures.count(ids.count)) jobs were final within \(duration)"
            return CommandFailure(.timedOut, sentence)
        }
    }

    private func wait(in store: QueueStore) async throws {
        var open = try await openAtFirst(in: store)[...]
        guard !open.isEmpty else { return }
        try WorkerHint.sayIfNoneRuns(store)
        try await ProviderHint.say(for: open, store, session)
        var bar = ProgressBar(ids.count == 1 ? "Waiting for job \(ids[0])" : "Waiting")
        defer { bar.clear() }
        for await _ in store.changes(of: .done) {
            while !open.isEmpty {
                let look = open.prefix(Self.window)
                let states = try store.states(of: Array(look))
                // A job that is gone was deleted while it was waited for.
                let left = look.filter { states[$0].map { !$0.isFinal } ?? false }
                open = left + open.dropFirst(look.count)
                if !left.isEmpty { break }
            }
            bar.update(ids.count - open.count, of: ids.count)
            if open.isEmpty { return }
        }
    }

    private func openAtFirst(in store: QueueStore) async throws -> [Int64] {
        var open: [Int64] = []
        for start in stride(from: 0, to: ids.count, by: Self.window) {
            let part = Array(ids[start..<min(start + Self.window, ids.count)])
            let states = try store.states(of: part)
            for id in part {
                guard let state = states[id] else { throw JobFailure.notFound(id) }
                if !state.isFinal { open.append(id) }
            }
        }
        return open
    }
}
