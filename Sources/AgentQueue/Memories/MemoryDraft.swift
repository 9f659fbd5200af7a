import JobModel
import QueueStore

/// A text to remember, as a user gives it: not checked yet.
public struct MemoryDraft: Sendable, Equatable {
    /// The text; may be empty where a vector is given.
    public var text: String
    /// The user's own name for it: the next of this key takes its place.
    public var key: String?
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// How much it matters, 0 to 1; 0.5 unless told.
    public var importance = 0.5
    /// How long it is kept.
    public var expiry = MemoryExpiry.usual
    /// When it was made (wall clock, ms); nil is now.
    public var createdAt: Int64?
    /// When a search last brought it up, where it was remembered elsewhere before (wall clock, ms); nil is never.
    public var recalledAt: Int64?
    /// Where it lies.
    public var vector = VectorSource.model

    /// Where a memory's vector comes from.
    public enum VectorSource: Sendable, Equatable {
        /// The configured embedding model makes it of the text.
        case model
        /// The user brings it.
        case own([Float])
        /// A model made it before, such as that of an export.
        case made([Float], by: VectorModel)
        /// It has none, and is found by its words alone.
        case none
    }

    /// Makes one.
    public init(_ text: String) { self.text = text }
}
