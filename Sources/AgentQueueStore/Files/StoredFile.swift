/// What a file is for.
package enum FilePurpose: String, Sendable, CaseIterable {
    /// The requests of a batch.
    case batch
    /// What became of them.
    case batchOutput = "batch_output"
    /// The requests or results of a batch of Anthropic's form. No list of files shows it.
    case messageBatch = "message_batch"
    /// Kept for the client, and sent nowhere.
    case userData = "user_data"
}

/// What is said of a file once all its bytes are there.
package struct NewFile: Sendable {
    /// What its owner calls it: text, never a path.
    package var name: String
    package var purpose: FilePurpose
    package var mediaType: String?
    /// How long it is kept, in milliseconds; nil for ever.
    package var lifetime: Int64?

    package init(name: String, purpose: FilePurpose, mediaType: String? = nil, lifetime: Int64? = nil) {
        self.name = name
        self.purpose = purpose
        self.mediaType = mediaType
        self.lifetime = lifetime
    }
}

/// A file that is complete.
package struct StoredFile: Sendable, Equatable {
    /// Never given to another file.
    package var id: Int64
    /// The id of the key that it belongs to; 0 where none was asked for.
    package var key: Int64
    package var name: String
    package var purpose: FilePurpose
    package var mediaType: String?
    package var bytes: Int64
    /// Wall clock, in milliseconds.
    package var createdAt: Int64
    /// When it is removed (wall clock, in milliseconds); nil for never.
    package var expiresAt: Int64?
}

/// Which part of a key's files to list.
package struct FileQuery: Sendable {
    package var key: Int64
    package var purpose: FilePurpose?
    package var limit: Int
    /// The newest first, or the oldest.
    package var isNewestFirst = true
    /// Only files beyond this one, in the order of the list. It need not be there any more.
    package var after: Int64?

    package init(key: Int64, limit: Int) {
        self.key = key
        self.limit = limit
    }
}
