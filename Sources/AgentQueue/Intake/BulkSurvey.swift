/// What the first pass over a bulk input found: proof that it was checked whole, which the second pass asks for.
public struct BulkSurvey: Sendable, Equatable {
    /// Lines, blank ones included: the number of the last.
    public let lines: Int
    /// Jobs in the lines that were checked.
    public let jobs: Int
    /// Bad lines that are passed over; 0 unless that was asked for.
    public let skipped: Int
    /// SHA-256 of the whole content, 32 bytes, by which a repeated run knows its file; nil unless asked for.
    public let sha256: [UInt8]?
    /// The line after which lines were checked.
    public let checkedAfterLine: Int

    let badLines: LineSet
}
