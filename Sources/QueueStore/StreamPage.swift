/// A part of an answer, read while it comes.
public struct StreamPage: Sendable, Equatable {
    /// The pieces of text, in order.
    public var chunks: [String]
    /// Which attempt's text it is; nil where there is none yet. Another number than before says that the text begins anew: what was
    /// read is void.
    public var token: Int64?
    /// The number of the last piece, to go on after; what was asked for, where there is no newer.
    public var lastSequence: Int64
}
