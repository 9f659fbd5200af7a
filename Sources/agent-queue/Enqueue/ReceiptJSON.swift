import JobModel

/// What enqueueing came to, as `enqueue --json` prints it.
enum ReceiptJSON {
    static func receipt(_ receipt: Enqueued) -> JSONValue {
        .object([
            .init("id", .integer(receipt.id)),
            .init("state", .string(receipt.state.rawValue)),
            .init("duplicate_of", receipt.duplicateOf.map(JSONValue.integer) ?? .null),
        ])
    }
}
