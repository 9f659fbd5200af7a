/// What a ``ScriptedServer`` was asked.
package struct RecordedRequest: Sendable {
    /// `GET`, `POST` and so on.
    package var method: String
    /// Path and query.
    package var path: String
    /// Headers in their order, as sent.
    package var headers: [(name: String, value: String)]
    /// The body.
    package var body: [UInt8]
    /// Which of the server's connections it came by, from 1.
    package var connection: Int

    /// A header's value, found without regard to case.
    package subscript(header: String) -> String? {
        headers.first { $0.name.lowercased() == header.lowercased() }?.value
    }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// What a server was asked. Past its end there are empty requests, so that a test that finds too few fails, and does not take the whole
/// process with it.
package struct RecordedRequests: RandomAccessCollection, Sendable {
    private let all: [RecordedRequest]

    package init(_ all: [RecordedRequest]) {
        self.all = all
    }

    package var startIndex: Int { all.startIndex }
    package var endIndex: Int { all.endIndex }

    package subscript(position: Int) -> RecordedRequest {
        all.indices.contains(position) ? all[position] : RecordedRequest(method: "", path: "", headers: [], body: [], connection: 0)
    }
}
