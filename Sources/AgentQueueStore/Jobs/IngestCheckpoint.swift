import AgentQueueModel

/// How far a named bulk input has been read. It is committed together with the jobs of its latest slice.
package struct IngestCheckpoint: Sendable, Equatable {
    /// The user's name for the input.
    package var name: String
    /// SHA-256 of the whole input.
    package var digest: [UInt8]
    /// The number of the slice's last line.
    package var linesDone: Int
    /// The length of the input in bytes; nil in checkpoints of earlier versions.
    package var size: Int64?
    /// SHA-256 of the template of its prompts; nil without one, and in checkpoints of earlier versions.
    package var template: [UInt8]?
    /// The digest of the checkpoint that this one continues, if the input has grown since.
    package var continues: [UInt8]?

    package init(name: String, digest: [UInt8], linesDone: Int, size: Int64? = nil, template: [UInt8]? = nil, continues: [UInt8]? = nil) {
        self.name = name
        self.digest = digest
        self.linesDone = linesDone
        self.size = size
        self.template = template
        self.continues = continues
    }
}

extension JobStore {
    /// Returns the last checkpoint of a named input; nil for a new one.
    /// - Throws: `StoreError`.
    package func ingestCheckpoint(named name: String) throws -> IngestCheckpoint? {
        try read { reader in
            try reader.statement("SELECT digest, lines_done, bytes, template FROM ingests WHERE name = ?").bind(name).first {
                IngestCheckpoint(
                    name: name, digest: $0.blob(0), linesDone: $0.int(1), size: $0.optionalInt64(2), template: $0.optionalBlob(3))
            }
        }
    }
}

extension WriteTransaction {
    /// Moves a named input's checkpoint forward. Refuses to move it back, because another process may be reading the same input.
    func advance(_ mark: IngestCheckpoint, jobs: Int) throws {
        let moved = try statement(
            """
            INSERT INTO ingests (name, digest, lines_done, jobs, started_at, updated_at, bytes, template)
            VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?8)
            ON CONFLICT (name) DO UPDATE SET digest = ?2, lines_done = ?3, jobs = ingests.jobs + ?4, updated_at = ?5, bytes = ?6,
                template = ?8
            WHERE (ingests.digest = ?2 OR ingests.digest = ?7) AND ingests.lines_done < ?3
            """
        ).bind(mark.name).bind(mark.digest).bind(mark.linesDone).bind(jobs).bind(now).bind(mark.size)
            .bind(mark.continues ?? mark.digest).bind(mark.template).run()
        guard moved == 1 else {
            throw StoreError(.conflict, "the ingest '\(mark.name)' was begun with another input, or is being taken in by another process")
        }
    }
}
