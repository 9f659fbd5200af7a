import AgentQueueModel
import CAgentQueue

/// The writer's connection as its thread uses it: groups of operations, each in one transaction, and checkpoints between them.
final class GroupCommit: @unchecked Sendable {
    // @unchecked because it is made by the thread that opens the store and then used by the writer's thread alone:
    // `Writer.init` hands it over before that thread starts.
    private let connection: WriteConnection
    private let checkpoints: Checkpoints
    private let transaction: WriteTransaction
    private let path: String

    /// How long a transaction tries to begin while other processes write, before its operations fail, in ns.
    private static let patience: Int64 = 60_000_000_000
    /// How often a transaction whose COMMIT failed is run again.
    private static let commitRetries = 3

    private enum Attempt {
        case committed
        case operationFailed(index: Int, StoreError)
        case couldNotBegin(StoreError)
        case couldNotCommit(StoreError)
    }

    init(_ connection: WriteConnection, _ checkpoints: Checkpoints, clock: StoreClock, path: String) {
        self.connection = connection
        self.checkpoints = checkpoints
        self.path = path
        transaction = WriteTransaction(connection: connection, clock: clock)
    }

    /// Carries out operations in one transaction, and answers each.
    /// - Parameter ring: told of a commit after which workers, or those who wait for results, should look.
    func write(_ group: [any PendingWrite], ring: (_ work: Bool, _ results: Bool) -> Void) {
        var remaining = group
        var commitFailures = 0
        let patienceEnds = platform_monotonic_ns() + Self.patience
        while !remaining.isEmpty {
            switch attempt(remaining) {
            case .committed:
                ring(transaction.ledger.hasWork, transaction.ledger.hasResults)
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

    /// Runs operations in one transaction, without answering them.
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
