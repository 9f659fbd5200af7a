/// Why the store could not do what was asked: one sentence, with what to do about it. Holds no prompt and no value.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of trouble.
    package enum Kind: String, Sendable {
        /// The file is another program's database, or no database.
        case notOurs
        /// The file was written by a later version.
        case newerSchema
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
    package let kind: Kind
    /// One sentence.
    package let message: String

    /// Makes an error.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message, as users see it.
    package var description: String { message }

    /// What a program ends with: 65 bad data, 69 unavailable, 70 internal, 74 I/O, 77 permission.
    package var exitCode: Int32 {
        switch kind {
        case .notOurs, .corrupt, .conflict, .notFound: 65
        case .newerSchema, .alteredSchema, .busy, .closed: 69
        case .full, .io: 74
        case .permission: 77
        case .internal: 70
        }
    }
}
