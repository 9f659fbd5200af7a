import AgentQueueModel
import AgentQueueStore
import Crypto
import Glibc

/// The SHA-256 of a whole input, by which a repeated import recognizes it, and of its beginning, by which an input is recognized that has
/// only grown.
package struct ContentDigest: Sendable, Equatable {
    /// Of the whole content, 32 bytes.
    package let sha256: [UInt8]
    /// The length of the content in bytes.
    package let size: Int64
    /// Of the beginning that was asked for; nil if the content is shorter, or goes on in the middle of a line there.
    let prefix: [UInt8]?
}

/// Computes a ``ContentDigest`` in one pass.
struct ContentHasher: Sendable {
    private let prefixSize: Int64?
    private var whole = SHA256()
    private var size: Int64 = 0
    private var prefix: [UInt8]?
    private var last: UInt8?

    /// - Parameter prefixSize: the length of the beginning that has a digest of its own.
    init(prefixSize: Int64?) {
        self.prefixSize = prefixSize
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        if let prefixSize, prefixSize >= size, prefixSize < size + Int64(bytes.count) {
            let split = Int(prefixSize - size)
            whole.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<split]))
            let before = split > 0 ? bytes[split - 1] : last
            // The last line had no line break yet: what follows must not lengthen it.
            let isWhole = before == nil || before == 0x0A || bytes[split] == 0x0A || bytes[split] == 0x0D
            prefix = isWhole ? Array(whole.finalize()) : nil
            whole.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[split...]))
        } else {
            whole.update(bufferPointer: bytes)
        }
        size += Int64(bytes.count)
        last = bytes[bytes.count - 1]
    }

    var digest: ContentDigest { ContentDigest(sha256: Array(whole.finalize()), size: size, prefix: prefix) }
}

/// A named import, which continues where an earlier one of the same name stopped.
package struct BulkIngest: Sendable {
    package let name: String
    /// The checkpoint of the earlier import; nil for the first.
    private let last: IngestCheckpoint?

    private let template: [UInt8]?

    /// Looks for an earlier import.
    /// - Throws: `StoreError`.
    package init(_ name: String, _ form: BulkForm = .jobs, in store: QueueStore) throws {
        self.name = name
        template = form.templateDigest
        last = try store.jobs.ingestCheckpoint(named: name)
    }

    /// An import of which the store knows nothing, for one that does not exist yet.
    package init(new name: String) {
        self.name = name
        template = nil
        last = nil
    }

    var prefixSize: Int64? { last?.size }

    /// The number of lines that were added before.
    /// - Throws: `StoreError` (`conflict`) if the input is neither the same as before nor one that has only grown, or its template is another.
    package func linesDone(of survey: BulkSurvey) throws -> Int {
        guard let last else { return 0 }
        guard let digest = survey.digest, digest.sha256 == last.digest || digest.prefix == last.digest else {
            throw StoreError(
                .conflict,
                "the ingest '\(name)' was begun with another input, or its input was changed other than at its end; choose another --ingest name"
            )
        }
        guard last.template == nil || last.template == template else {
            throw StoreError(
                .conflict, "the ingest '\(name)' was begun with another template; use that one, or choose another --ingest name")
        }
        return last.linesDone
    }

    /// The checkpoint to commit with the jobs up to a line.
    package func checkpoint(_ survey: BulkSurvey, upTo line: Int) -> IngestCheckpoint? {
        survey.digest.map {
            IngestCheckpoint(name: name, digest: $0.sha256, linesDone: line, size: $0.size, template: template, continues: last?.digest)
        }
    }
}
