import AgentQueueModel

/// A file as clients of either API see it.
package struct FileObject: Sendable {
    package var id: Int64
    package var name: String
    /// What OpenAI's clients say it is for.
    package var purpose: String
    package var mediaType: String?
    package var bytes: Int64
    /// In milliseconds since 1970.
    package var createdAt: Int64
    package var expiresAt: Int64?

    package init(
        id: Int64, name: String, purpose: String, mediaType: String?, bytes: Int64, createdAt: Int64, expiresAt: Int64?
    ) {
        (self.id, self.name, self.purpose, self.mediaType) = (id, name, purpose, mediaType)
        (self.bytes, self.createdAt, self.expiresAt) = (bytes, createdAt, expiresAt)
    }

    package func json(_ flavour: APIFlavour) -> JSONValue {
        let id = JSONValue.string(Self.text(of: id, flavour))
        return switch flavour {
        case .openAI:
            [
                "id": id, "object": "file", "bytes": .integer(bytes), "created_at": .integer(createdAt / 1_000),
                "expires_at": expiresAt.map { .integer($0 / 1_000) } ?? .null, "filename": .string(name), "purpose": .string(purpose),
                "status": "processed", "status_details": .null,
            ]
        case .anthropic:
            [
                "id": id, "type": "file", "filename": .string(name), "mime_type": .string(mediaType ?? "application/octet-stream"),
                "size_bytes": .integer(bytes), "created_at": .string(TimeText.format(createdAt)), "downloadable": true,
            ]
        }
    }

    /// What is said of a file that was deleted.
    package static func deleted(_ id: Int64, _ flavour: APIFlavour) -> JSONValue {
        switch flavour {
        case .openAI: ["id": .string(text(of: id, flavour)), "object": "file", "deleted": true]
        case .anthropic: ["id": .string(text(of: id, flavour)), "type": "file_deleted"]
        }
    }

    /// A page of a list.
    package static func list(_ files: [FileObject], hasMore: Bool, _ flavour: APIFlavour) -> JSONValue {
        func id(_ file: FileObject?) -> JSONValue { file.map { .string(text(of: $0.id, flavour)) } ?? .null }
        let data = JSONValue.array(files.map { $0.json(flavour) })
        return switch flavour {
        case .openAI: ["object": "list", "data": data, "first_id": id(files.first), "last_id": id(files.last), "has_more": .bool(hasMore)]
        case .anthropic:
            [
                "data": data, "first_id": id(files.first), "last_id": id(files.last), "has_more": .bool(hasMore),
                "next_page": hasMore ? id(files.last) : .null,
            ]
        }
    }

    // MARK: Ids

    /// The id that clients see.
    package static func text(of id: Int64, _ flavour: APIFlavour) -> String { (flavour == .openAI ? "file-aq" : "file_aq") + "\(id)" }

    /// The number of an id in either form; nil if it cannot be the id of a file.
    package static func id(_ text: String) -> Int64? {
        for prefix in ["file-aq", "file_aq"] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(prefix.count)
            guard let id = Int64(digits), id > 0, "\(id)" == digits else { return nil }
            return id
        }
        return nil
    }
}
