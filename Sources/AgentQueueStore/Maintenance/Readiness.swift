import Glibc

/// Whether jobs can be added now, for those who ask a program from outside.
extension MaintenanceStore {
    /// Commits a transaction that changes nothing: it waits for the write lock as any other.
    /// - Throws: `StoreError`.
    package func commitNothing() async throws { try await write { _ in } }

    /// The bytes that the file system of the database has left for this user; nil if that cannot be found out.
    package func freeDiskBytes() -> Int64? {
        var system = statvfs()
        guard statvfs(path, &system) == 0 else { return nil }
        return Int64(clamping: system.f_bavail).multipliedReportingOverflow(by: Int64(clamping: system.f_frsize)).partialValue
    }
}
