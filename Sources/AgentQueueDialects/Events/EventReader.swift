import AgentQueueModel

/// Reads what the events of an answer's stream hold: pieces of JSON, the mark of the end, and words that only keep the connection open.
package struct EventReader: Sendable {
    /// What an event holds.
    package enum Content: Sendable {
        case json(JSONPiece)
        /// `[DONE]`
        case end
    }

    /// How many events there were.
    private var count = 0

    /// Reads the next event. It usually holds one thing, but servers that leave out the blank line between events send several as one.
    /// - Parameter isPiece: whether the event's name says that it holds a piece of the answer, and so is no keep-alive.
    /// - Throws: ``UnreadableEvent`` if a part of the answer may be lost with it.
    package mutating func read(_ event: ServerSentEvent, isPiece: Bool = false) throws(UnreadableEvent) -> [Content] {
        count += 1
        do throws(JSONError) {
            if isPiece { return [.json(try JSONPiece(event.data))] }
            return try Self.content(of: event.data).map { [$0] } ?? []
        } catch {
            // Where a line cannot be read either, the error of the whole says where.
            let lines = event.data.split(separator: "\n")
            guard lines.count > 1, let contents = try? lines.compactMap({ try Self.content(of: String($0)) }) else {
                throw UnreadableEvent(number: count, reason: error)
            }
            return contents
        }
    }

    /// Nil for a keep-alive: every piece of an answer's text stands in braces or quotation marks, and so does what is left of a piece that
    /// was cut.
    private static func content(of data: String) throws(JSONError) -> Content? {
        if data.drop(while: \.isWhitespace).hasPrefix("[DONE]") { return .end }
        guard data.utf8.contains(where: { "{}\"".utf8.contains($0) }) else { return nil }
        return .json(try JSONPiece(data))
    }
}

/// An event of a stream that cannot be read. A part of the answer may be lost with it.
package struct UnreadableEvent: Error, Sendable, Equatable {
    /// Which event it is, from 1.
    package var number: Int
    /// What is wrong with it.
    package var reason: JSONError

    /// The end of a sentence that begins with who sent it.
    package var words: String { "sent a stream whose event \(number) is \(reason)" }
}
