/// An error of the queue's database: one sentence that also says what to do. It holds no prompt and no stored value.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of error.
    public enum Kind: String, Sendable {
        /// The file is another program's database, or not a database.
        case notOurs
        /// The file was written by a newer version.
        case newerSchema
        /// The file is older than this program and may not be migrated here.
        case olderSchema
        /// An applied migration differs from the one this program knows.
        case alteredSchema
        /// The file is damaged.
        case corrupt
        /// The file is missing where there was one, or it is only a part of a database, or another file took its place.
        case incomplete
        /// The disk is full.
        case full
        /// A read or write failed.
        case io
        /// The process has no permission to read or write the file.
        case permission
        /// Other processes kept the file locked for too long.
        case busy
        /// The request contradicts what is stored.
        case conflict
        /// The named item does not exist.
        case notFound
        /// The store is closed.
        case closed
        /// A bug in AgentQueue.
        case `internal`
    }

    /// The kind of error.
    public let kind: Kind
    /// The message: one sentence.
    public let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message, as shown to users.
    public var description: String { message }
}
