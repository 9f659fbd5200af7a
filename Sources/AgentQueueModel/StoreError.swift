/// Why the store could not do what was asked: one sentence, with what to do about it. Holds no prompt and no value.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of trouble.
    public enum Kind: String, Sendable {
        /// The file is another program's database, or no database.
        case notOurs
        /// The file was written by a later version.
        case newerSchema
        /// The file is older than this program, and may not be migrated here.
        case olderSchema
        /// An applied migration is not the one this program knows.
        case alteredSchema
        /// The file is damaged.
        case corrupt
        /// The disk is full.
        case full
        /// Reading or writing failed.
        case io
        /// The file may not be read or written.
        case permission
        /// Other processes kept the file locked.
        case busy
        /// What was asked contradicts what is stored.
        case conflict
        /// What was named does not exist.
        case notFound
        /// The store is closed.
        case closed
        /// A defect.
        case `internal`
    }

    /// What kind of trouble.
    public let kind: Kind
    /// One sentence.
    public let message: String

    /// Makes an error.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message, as users see it.
    public var description: String { message }
}
