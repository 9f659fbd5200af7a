import AgentQueueModel
import AgentQueueStore
import Logging
import Synchronization

/// Takes the batches of clients from their input to their files. Of several gateways on one file each batch has one.
final class BatchKeeper: Sendable {
    private let calls: CallHandler
    private let store: QueueStore
    private let logger: Logger
    private let busy = Mutex<Set<Int64>>([])

    /// How many batches are worked on at once.
    private static let most = 4
    /// How long a look covers what ends after it. Files are not so urgent that every end of a job is worth a look.
    private static let rest: Duration = .milliseconds(100)
    /// How long calls under way may take after their batch was cancelled, in milliseconds: ten minutes, as at OpenAI.
    private static let patience: Int64 = 600_000

    init(_ calls: CallHandler, logger: Logger) {
        self.calls = calls
        store = calls.store
        self.logger = logger
    }

    /// Looks after batches until its task is cancelled. What makes, cancels or ends a batch or a job rings for it.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in store.changes(of: .done) {
                for task in tasks() where begin(task.batch.id) {
                    group.addTask { [self] in
                        await work(task)
                        end(task.batch.id)
                    }
                }
                // Cancelled, there is no next look.
                try? await Task.sleep(for: Self.rest)
            }
        }
    }

    private func tasks() -> [ClientBatchTask] {
        do { return try store.clientBatches.tasks() } catch {
            logger.warning("The batches of clients cannot be read.", metadata: ["error": .string("\(error)")])
            return []
        }
    }

    private func begin(_ batch: Int64) -> Bool { busy.withLock { $0.count < Self.most && $0.insert(batch).inserted } }

    private func end(_ batch: Int64) { busy.withLock { _ = $0.remove(batch) } }

    private func work(_ task: ClientBatchTask) async {
        do {
            guard try await store.clientBatches.take(task.batch.id, server: calls.server) else { return }
            switch task.step {
            case .ingest: try await BatchIngest(calls, task).run()
            case .cancel: try await cancel(task.batch)
            case .expire: while try await store.maintenance.expire() > 0 {}
            case .finish: try await BatchFinisher(store, task, server: calls.server).run()
            }
        } catch is CancellationError {
            // The gateway stops; another, or this one when it runs again, goes on.
        } catch {
            logger.warning(
                "A batch cannot go on now; it is tried again.",
                metadata: ["batch": .string(task.batch.publicID), "error": .string("\(error)")])
        }
    }

    private func cancel(_ batch: ClientBatch) async throws {
        let isLate = batch.cancellingAt.map { $0 <= store.clock.wall() - Self.patience } ?? false
        while try await store.clientBatches.cancelJobs(of: batch.id, runs: isLate) > 0 { try Task.checkCancellation() }
    }
}
