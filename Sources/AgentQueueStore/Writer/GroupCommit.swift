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

    init(_ connection: WriteConnection, _ checkpoints: Checkpoints, _ space: FileSpace, clock: StoreClock, path: String) {
        self.connection = connection
        self.checkpoints = checkpoints
        self.space = space
        self.path = path
        transaction = WriteTransaction(connection: connection, clock: clock)
    }

    /// Runs operations in one transaction and answers each.
    /// - Parameter ring: called after a commit that workers, or callers waiting for results, should react to.
    func write(_ group: [any PendingWrite], ring: (_ work: Bool, _ results: Bool) -> Void) {
        var remaining = group
        var commitFailures = 0
        let patienceEnds = platform_monotonic_ns() + Self.patience
        while !remaining.isEmpty {
            switch attempt(remaining) {
            case .committed:
                ring(transaction.ledger.hasWork, transaction.ledger.hasResults)
                if transaction.wantsCheckpoint { checkpoints.run() }
                for write in remaining { write.succeed() }
                checkpoints.runIfDue()
                return
            case .operationFailed(let index, let error):
                remaining.remove(at: index).fail(error)
            case .couldNotBegin(let error):
                guard error.kind == .busy, platform_monotonic_ns() < patienceEnds else {
                    for write in remaining { write.fail(error) }
                    return
                }
            case .couldNotCommit(let error):
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
    private func attempt(_ group: [any PendingWrite]) -> Attempt {
        connection.hold {
            do { try connection.begin() } catch { return .couldNotBegin(error.asStoreError(path: path)) }
            transaction.begin()
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
                try connection.commit()
            } catch {
                connection.rollback()
                return .couldNotCommit(error.asStoreError(path: path))
            }
            transaction.didCommit()
            return .committed
        }
    }

    func close() {
        connection.finalize()
        checkpoints.close()
    }
}
