/// What a ``ScriptedServer`` was asked.
public struct RecordedRequest: Sendable {
    /// `GET`, `POST` and so on.
    public var method: String
    /// Path and query.
    public var path: String
    /// Headers in their order, as sent.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]
    /// Which of the server's connections it came by, from 1.
    public var connection: Int

    /// A header's value, found without regard to case.
    public subscript(header: String) -> String? {
        headers.first { $0.name.lowercased() == header.lowercased() }?.value
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}
