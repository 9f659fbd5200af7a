import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Glibc

/// The gateway's first key, for programs of the user who runs it: its text is kept in a file beside the database.
package struct LocalKey: Sendable {
    /// `queue.db.key`.
    package let path: String

    package static let name = "local"

    package init(database: String) { path = "\(database).key" }

    /// The text of the key; nil if there is no file.
    /// - Throws: `InputError` if the file cannot be read, is open to others, or holds no key.
    package func read() throws(InputError) -> String? {
        let contents: FileContents?
        do throws(InvalidText) { contents = try FileReader.system.read(path) } catch {
            throw InputError("\(path) \(error.message)", kind: .permission)
        }
        guard let contents else { return nil }
        guard contents.permissions & 0o077 == 0 else {
            throw InputError(
                "\(path) may be read or written by others; run chmod 600 on it, and give the key a new secret", kind: .permission)
        }
        let text = contents.text.filter { !$0.isWhitespace }
        guard KeyText(text) != nil else { throw InputError("\(path) holds no key; remove it", kind: .badData) }
        return text
    }

    /// Writes the text of a key, readable by its owner only.
    /// - Throws: `InputError`.
    package func write(_ key: KeyText) throws(InputError) {
        let file = try PendingFile(path: path)
        try file.write(Array("\(key.text)\n".utf8))
        try file.finish()
    }

    /// Removes the file if it holds this key.
    package func remove(_ id: Int64) throws(InputError) {
        guard let text = try read(), KeyText(text)?.id == id else { return }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw InputError("\(path) cannot be removed: \(String(cString: strerror(errno)).lowercased())", kind: .permission)
        }
    }

    /// Makes the first key of a database that has none, with every right but `admin`, and writes its file.
    ///
    /// A process that died between the two left a key that nobody knows: it gets a new secret.
    /// - Returns: whether a key was made.
    /// - Throws: `StoreError`, `InputError`.
    @discardableResult
    package func makeFirst(in store: QueueStore, secret: [UInt8], by actor: String) async throws -> Bool {
        let keys = try store.keys.list(revoked: true)
        if keys.isEmpty {
            let key: APIKey
            do {
                let scopes = Set(KeyScope.allCases).subtracting([.admin])
                key = try await store.keys.create(NewAPIKey(name: Self.name, scopes: scopes), secret: secret, by: actor)
            } catch let error as StoreError where error.kind == .conflict {
                // Another process was faster, and writes the file.
                return false
            }
            try write(KeyText(id: key.id, secret: secret))
            return true
        }
        guard let key = keys.first(where: { $0.name == Self.name && $0.revokedAt == nil }), key.lastUsedAt == nil, try read() == nil else {
            return false
        }
        guard let rotated = try await store.keys.rotate(Self.name, secret: secret, by: actor) else { return false }
        try write(KeyText(id: rotated.id, secret: secret))
        return true
    }
}
