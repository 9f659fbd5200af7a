import Crypto

/// A step of the schema, compiled into the binary from `migrations/sqlite/*.sql`.
package struct Migration: Sendable {
    /// Counts from 1; the database's `user_version` once the step is applied.
    package let version: Int
    /// The file's name without its extension.
    package let name: String
    package let sql: String
    /// SHA-256 of the SQL text in hexadecimal. A database whose applied migrations have other checksums is refused.
    package let checksum: String

    private init(version: Int, name: String, bytes: [UInt8]) {
        self.version = version
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
        let hex = Array("0123456789abcdef")
        checksum = String(SHA256.hash(data: bytes).flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] })
    }

    /// All migrations, in order.
    package static let all: [Migration] = [
        Migration(version: 1, name: "v001_jobs", bytes: PackageResources.v001_jobs_sql),
        Migration(version: 2, name: "v002_limits", bytes: PackageResources.v002_limits_sql),
        Migration(version: 3, name: "v003_coalescing", bytes: PackageResources.v003_coalescing_sql),
        Migration(version: 4, name: "v004_provider_batches", bytes: PackageResources.v004_provider_batches_sql),
        Migration(version: 5, name: "v005_semantic_cache", bytes: PackageResources.v005_semantic_cache_sql),
        Migration(version: 6, name: "v006_memory", bytes: PackageResources.v006_memory_sql),
        Migration(version: 7, name: "v007_runs", bytes: PackageResources.v007_runs_sql),
        Migration(version: 8, name: "v008_first_hour", bytes: PackageResources.v008_first_hour_sql),
        Migration(version: 9, name: "v009_production", bytes: PackageResources.v009_production_sql),
        Migration(version: 10, name: "v010_gateway", bytes: PackageResources.v010_gateway_sql),
    ]
}
