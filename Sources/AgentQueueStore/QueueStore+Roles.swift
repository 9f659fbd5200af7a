import AgentQueueModel

/// The operations that one kind of caller performs on the store. A role holds only a reference to the store, so callers create one
/// wherever they need it.
protocol StoreRole: Sendable {
    var store: QueueStore { get }
}

extension StoreRole {
    var clock: StoreClock { store.clock }
    var locks: LockFile { store.locks }
    var path: String { store.path }

    /// See ``QueueStore/write(_:)``.
    func write<Value: Sendable>(_ operation: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value {
        try await store.write(operation)
    }

    /// See ``QueueStore/read(_:)``.
    func read<Value>(_ body: (ReadConnection) throws -> Value) throws -> Value { try store.read(body) }
}

/// Enqueues and inspects jobs and queues, and applies what users request: cancel, retry, pause.
package struct JobStore: StoreRole { let store: QueueStore }

/// Jobs as a worker handles them: claims, settlements, and progress reported during a call.
package struct ClaimStore: StoreRole { let store: QueueStore }

/// Requests that are sent to a provider as one batch.
package struct ProviderBatchStore: StoreRole { let store: QueueStore }

/// Runs of pipelines.
package struct RunStore: StoreRole { let store: QueueStore }

/// Schedules and their firings.
package struct ScheduleStore: StoreRole { let store: QueueStore }

/// Subscriptions and the notifications sent when something ends.
package struct NotificationStore: StoreRole { let store: QueueStore }

/// Stored texts with their vectors and full-text index.
package struct MemoryStore: StoreRole { let store: QueueStore }

/// The response cache, for identical and for similar requests.
package struct CacheStore: StoreRole { let store: QueueStore }

/// Maintenance of the queue and its file: promotion, rescue, pruning, checks, statistics, backups.
package struct MaintenanceStore: StoreRole { let store: QueueStore }

/// Provider status, and calls that may have been paid for.
package struct ProviderStore: StoreRole { let store: QueueStore }

/// Requests that clients send through the gateway, and what becomes of them.
package struct GatewayStore: StoreRole { let store: QueueStore }

/// The keys that clients send, and the record of what was done to them.
package struct KeyStore: StoreRole { let store: QueueStore }

/// Files that clients of the gateway upload, and those that batches write.
package struct FileStore: StoreRole { let store: QueueStore }

/// Batches that clients give through the gateway.
package struct ClientBatchStore: StoreRole { let store: QueueStore }

extension QueueStore {
    /// Jobs and queues, for callers that enqueue and inspect.
    package var jobs: JobStore { JobStore(store: self) }
    /// Jobs, for workers.
    package var claims: ClaimStore { ClaimStore(store: self) }
    package var providerBatches: ProviderBatchStore { ProviderBatchStore(store: self) }
    package var runs: RunStore { RunStore(store: self) }
    package var schedules: ScheduleStore { ScheduleStore(store: self) }
    package var notifications: NotificationStore { NotificationStore(store: self) }
    package var memories: MemoryStore { MemoryStore(store: self) }
    package var cache: CacheStore { CacheStore(store: self) }
    package var maintenance: MaintenanceStore { MaintenanceStore(store: self) }
    package var providers: ProviderStore { ProviderStore(store: self) }
    package var gateway: GatewayStore { GatewayStore(store: self) }
    package var keys: KeyStore { KeyStore(store: self) }
    package var files: FileStore { FileStore(store: self) }
    package var clientBatches: ClientBatchStore { ClientBatchStore(store: self) }
}
