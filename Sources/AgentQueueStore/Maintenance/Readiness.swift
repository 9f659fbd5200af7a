import Glibc

/// Whether jobs can be added now, for those who ask a program from outside.
extension MaintenanceStore {
    /// Commits a small change: like any other, it takes the write lock and waits for the disk.
    /// - Throws: `StoreError`.
    package func commitProbe() async throws {
        _ = try await write { transaction in
            try transaction.statement(
                "INSERT INTO counters (name, value) VALUES ('probed_at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            ).bind(transaction.now).run()
        }
    }

    /// The bytes that the file system of the database has left for this user; nil if that cannot be found out.
    package func freeDiskBytes() -> Int64? {
        var system = statvfs()
        guard statvfs(path, &system) == 0 else { return nil }
        return Int64(clamping: system.f_bavail).multipliedReportingOverflow(by: Int64(clamping: system.f_frsize)).partialValue
    }
}
