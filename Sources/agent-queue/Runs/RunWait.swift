import JobModel
import QueueStore

/// Waits until runs have ended: by the bell that rings when jobs and runs end, never by the clock. Shows the steps meanwhile.
struct RunWait {
    let ids: [Int64]
    /// Nil waits for ever.
    let timeout: Duration?
    /// Whether runs that have ended already are shown, too: those that were started a moment ago.
    var showsEnded = false

    /// - Throws: `CommandFailure` on a run that does not exist, and when time runs out.
    func run(in store: QueueStore) async throws {
        let states = try store.runStates(of: ids)
        if let missing = ids.first(where: { states[$0] == nil }) { throw RunFailure.notFound(missing) }
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            CommandFailure(
                .timedOut,
                ids.count == 1
                    ? "run \(ids[0]) had not ended within \(duration)" : "not all of the \(ids.count) runs had ended within \(duration)")
        }
    }

    private func wait(in store: QueueStore) async throws {
        var open = try open(ids, in: store)
        guard showsEnded || !open.isEmpty else { return }
        if !open.isEmpty { try WorkerHint.sayIfNoneRuns(store) }
        var views = (showsEnded ? ids : open).map { RunProgress(run: $0, isOneOfSeveral: ids.count > 1) }
        var screen = LiveBlock(screen: .error)
        defer { screen.clear() }
        for await _ in store.changes(of: .done) {
            open = try self.open(open, in: store)
            for index in views.indices { try views[index].look(at: store) }
            screen.show(views.flatMap(\.lines))
            if open.isEmpty { return screen.leave() }
        }
    }

    private func open(_ ids: [Int64], in store: QueueStore) throws -> [Int64] {
        let states = try store.runStates(of: ids)
        return ids.filter { states[$0].map { !$0.isFinal } ?? false }
    }
}
