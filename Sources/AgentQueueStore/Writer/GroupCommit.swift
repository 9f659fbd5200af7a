import AgentQueueModel
import CAgentQueue

/// The write connection as the writer's thread uses it: each group of operations runs in one transaction, with checkpoints in between.
final class GroupCommit: @unchecked Sendable {
    // @unchecked because it is created by the thread that opens the store and then used only by the writer's thread: `Writer.init` hands
    // it over before that thread starts.
    private let connection: WriteConnection
    private let checkpoints: Checkpoints
    private let space: FileSpace
    private var pageCount = FileSpace.Count()
    private let transaction: WriteTransaction
    private let health: WriteHealth
    private let times: CommitTimes
    private let clock: StoreClock
    private let path: String

    /// How long a transaction tries to begin while other processes write, in ns. After that its operations fail.
    private static let patience: Int64 = 60_000_000_000
    /// How often a transaction whose COMMIT failed is retried.
    private static let commitRetries = 3

    private enum Attempt {
        case committed
        case operationFailed(index: Int, StoreError)
        case couldNotBegin(StoreError)
        case couldNotCommit(StoreError)
    }

    init(
        _ connection: WriteConnection, _ checkpoints: Checkpoints, _ space: FileSpace, _ health: WriteHealth, _ times: CommitTimes,
        clock: StoreClock, path: String
    ) {
        self.connection = connection
        self.checkpoints = checkpoints
        self.space = space
        self.health = health
        self.times = times
        self.clock = clock
        self.path = path
        transaction = WriteTransaction(connection: connection, health: health, clock: clock)
    }

    /// Runs operations in one transaction and answers each.
    /// - Parameter ring: called after each commit, with what workers, and callers waiting for results, should react to.
    func write(_ group: [any PendingWrite], ring: Writer.Ring) {
        var remaining = group
        var commitFailures = 0
        let patienceEnds = platform_monotonic_ns() + Self.patience
        let start = clock.boot()
        health.noteStart(at: start)
        defer { health.noteEnd() }
        while !remaining.isEmpty {
            switch attempt(remaining, since: start) {
            case .committed:
                ring(transaction.ledger.hasWork, transaction.ledger.hasResults, transaction.ends)
                if transaction.wantsCheckpoint { checkpoints.run() }
                for write in remaining { write.succeed() }
                checkpoints.runIfDue()
                return
            case .operationFailed(let index, let error):
                if error.kind == .full || error.kind == .io { health.noteFailure() }
                remaining.remove(at: index).fail(error)
            case .couldNotBegin(let error):
                health.noteFailure()
                guard error.kind == .busy, platform_monotonic_ns() < patienceEnds else {
                    for write in remaining { write.fail(error) }
                    return
                }
            case .couldNotCommit(let error):
                health.noteFailure()
                commitFailures += 1
                if error.kind == .full, commitFailures == 1 {
                    checkpoints.makeRoom()
                    continue
                }
                guard commitFailures <= Self.commitRetries, error.kind != .full else {
                    for write in remaining { write.fail(error) }
                    return
                }
            }
        }
    }

    /// Runs operations in one transaction without answering them.
    /// - Parameter start: when they were taken up (boot clock, ms).
    private func attempt(_ group: [any PendingWrite], since start: Int64) -> Attempt {
        connection.hold {
            do { try connection.begin() } catch { return .couldNotBegin(error.asStoreError(path: path)) }
            transaction.begin(waited: clock.boot() - start)
            let changes = connection.totalChanges
            for index in group.indices {
                do { try group[index].perform(in: transaction) } catch {
                    connection.rollback()
                    return .operationFailed(index: index, error.asStoreError(path: path))
                }
            }
            do {
                try transaction.resources.write(to: transaction)
                try transaction.ledger.write(to: transaction)
                try space.allocate(for: connection, logPages: checkpoints.logLength, &pageCount)
                let began = platform_monotonic_ns()
                try connection.commit()
                // One that changes nothing waits for no disk.
                if connection.totalChanges != changes { times.add(.nanoseconds(platform_monotonic_ns() - began), at: transaction.now) }
            } catch {
                connection.rollback()
                return .couldNotCommit(error.asStoreError(path: path))
            }
            transaction.didCommit()
            let now = clock.boot()
            if transaction.isFirstAfterTrouble || now - start > WriteHealth.longWait { noteRecovery(at: now) }
            return .committed
        }
    }

    /// A transaction that changed nothing has not shown that the disk has room.
    private func noteRecovery(at now: Int64) {
        guard !health.isFailing || transaction.hasChanges else { return }
        health.noteRecovery(at: now)
    }

    func close() {
        connection.finalize()
        checkpoints.close()
    }
}
