import AgentQueueStore

/// Says on standard error which stopped process keeps a command from writing. Others are only waited for: they hold the lock in turn.
struct WriteLockWatch {
    private let store: QueueStore

    /// Milliseconds that a write may take before the holder of the lock is worth a word.
    private static let patience: Int64 = 2_000

    init(_ store: QueueStore) { self.store = store }

    /// Looks once a second until the task is cancelled.
    func run() async {
        var said: WriteLockHolder?
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            guard let time = store.writeTime, time >= Self.patience, let holder = WriteLockHolder.current(of: store.path), holder.isStopped,
                holder != said
            else { continue }
            said = holder
            Diagnostics.say("waiting for \(holder.description) and holds the database's write lock; \(holder.remedy)")
        }
    }
}
