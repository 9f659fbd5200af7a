extension JSONSchema {
    /// One way in which a value is not what the schema asks.
    public struct Violation: Sendable, Equatable, CustomStringConvertible {
        /// Where in the value, as a JSON pointer (RFC 6901); empty for the value itself.
        public let pointer: String
        /// What is wrong there, to be read behind the place: `must be a number, not a string`. Quotes the schema and names of members, at
        /// most 60 characters of each and no control character; never a value.
        public let message: String

        /// The whole sentence, without a full stop: `/items/3/price must be a number, not a string`.
        public var description: String {
            pointer.isEmpty ? "the value \(message)" : "\(ShownJSON.clean(pointer, limit: 200)) \(message)"
        }
    }
}
