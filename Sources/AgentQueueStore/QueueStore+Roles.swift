import AgentQueueModel

/// What one kind of caller does with the store. A role is as cheap as the store itself: it is made where it is asked for.
protocol StoreRole: Sendable {
    var store: QueueStore { get }
}

extension StoreRole {
    var clock: StoreClock { store.clock }
    var locks: LockFile { store.locks }
    var path: String { store.path }

    /// Carries out a change in the writer's next transaction: ``QueueStore/write(_:)``.
    func write<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await store.write(operation)
    }

    /// Reads on a snapshot: ``QueueStore/read(_:)``.
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value { try store.read(body) }
}

/// Adding jobs, looking at them and at their queues, and what people wish for them.
package struct JobStore: StoreRole { let store: QueueStore }

/// A worker's way with jobs: claims, settlements, and what it tells while a call is under way.
package struct ClaimStore: StoreRole { let store: QueueStore }

/// Requests that go to a provider as one batch.
package struct ProviderBatchStore: StoreRole { let store: QueueStore }

/// Runs of pipelines.
package struct RunStore: StoreRole { let store: QueueStore }

/// Schedules and their firings.
package struct ScheduleStore: StoreRole { let store: QueueStore }

/// What is told of an end, and to whom.
package struct NotificationStore: StoreRole { let store: QueueStore }

/// Texts that are remembered, with their vectors and words.
package struct MemoryStore: StoreRole { let store: QueueStore }

/// Answers that are kept for the next who asks the same, or nearly.
package struct CacheStore: StoreRole { let store: QueueStore }

/// What keeps the queue going and its file in order: promotion, rescue, pruning, checks, counts, backups.
package struct MaintenanceStore: StoreRole { let store: QueueStore }

/// What is known of the providers: how they stand, and calls that may have been paid for.
package struct ProviderStore: StoreRole { let store: QueueStore }

extension QueueStore {
    /// Jobs and queues, for those who add and look at them.
    package var jobs: JobStore { JobStore(store: self) }
    /// Jobs, for workers.
    package var claims: ClaimStore { ClaimStore(store: self) }
    /// Batches at providers.
    package var providerBatches: ProviderBatchStore { ProviderBatchStore(store: self) }
    /// Runs of pipelines.
    package var runs: RunStore { RunStore(store: self) }
    /// Schedules.
    package var schedules: ScheduleStore { ScheduleStore(store: self) }
    /// Notifications.
    package var notifications: NotificationStore { NotificationStore(store: self) }
    /// Memories.
    package var memories: MemoryStore { MemoryStore(store: self) }
    /// The response cache.
    package var cache: CacheStore { CacheStore(store: self) }
    /// What keeps the queue in order.
    package var maintenance: MaintenanceStore { MaintenanceStore(store: self) }
    /// The providers.
    package var providers: ProviderStore { ProviderStore(store: self) }
}
