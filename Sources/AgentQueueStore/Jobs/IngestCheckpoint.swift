import AgentQueueModel

/// How far a named bulk input has been read. It is committed together with the jobs of its latest slice.
package struct IngestCheckpoint: Sendable, Equatable {
    /// The user's name for the input.
    package var name: String
    /// SHA-256 of the whole input.
    package var digest: [UInt8]
    /// The number of the slice's last line.
    package var linesDone: Int

    package init(name: String, digest: [UInt8], linesDone: Int) {
        self.name = name
        self.digest = digest
        self.linesDone = linesDone
    }
}

extension JobStore {
    /// Returns how many lines of a named input have been read; 0 for a new one.
    /// - Throws: `StoreError` of kind `conflict` if another input was read under that name.
    package func ingestProgress(name: String, digest: [UInt8]) throws -> Int {
        try read { reader in
            let row = try reader.statement("SELECT digest, lines_done FROM ingests WHERE name = ?").bind(name).first {
                (digest: $0.blob(0), lines: $0.int(1))
            }
            guard let row else { return 0 }
            guard row.digest == digest else { throw Self.otherInput(name) }
            return row.lines
        }
    }

    static func otherInput(_ name: String) -> StoreError {
        StoreError(.conflict, "the ingest '\(name)' was begun with another input; choose another --ingest name")
    }
}

extension WriteTransaction {
    /// Moves a named input's checkpoint forward. Refuses to move it back, because another process may be reading the same input.
    func advance(_ mark: IngestCheckpoint, jobs: Int) throws {
        let moved = try statement(
            """
            INSERT INTO ingests (name, digest, lines_done, jobs, started_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
            ON CONFLICT (name) DO UPDATE SET lines_done = ?3, jobs = ingests.jobs + ?4, updated_at = ?5
            WHERE ingests.digest = ?2 AND ingests.lines_done < ?3
            """
        ).bind(mark.name).bind(mark.digest).bind(mark.linesDone).bind(jobs).bind(now).run()
        guard moved == 1 else {
            throw StoreError(.conflict, "the ingest '\(mark.name)' was begun with another input, or is being taken in by another process")
        }
    }
}
