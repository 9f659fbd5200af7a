/// Reads a `text/event-stream` (WHATWG) from pieces cut anywhere. Lines end with CR, LF or both; comments, `id` and `retry` are skipped;
/// broken UTF-8 is repaired.
package struct ServerSentEventParser: Sendable {
    private let maxEventBytes: Int
    /// The line that has not ended yet.
    private var line: [UInt8] = []
    private var name: [UInt8] = []
    /// The event's data so far; nil if it has none.
    private var data: [UInt8]?
    private var isFirstLine = true
    private var endedWithReturn = false

    /// Starts before the stream's first byte.
    /// - Parameter maxEventBytes: the longest event, and the longest line, that is read.
    package init(maxEventBytes: Int = 16 << 20) {
        self.maxEventBytes = maxEventBytes
    }

    /// Takes the next piece of the stream, and returns the events that it completes.
    /// - Throws: ``OverlongEvent``, after which the stream cannot be read any further.
    package mutating func feed(_ bytes: [UInt8]) throws(OverlongEvent) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
            // The second half of a CR LF does not end a line, even if it comes with the next piece.
            let isSecondHalf = byte == UInt8(ascii: "\n") && endedWithReturn && index == start && line.isEmpty
            endedWithReturn = byte == UInt8(ascii: "\r")
            if !isSecondHalf {
                try take(bytes[start..<index])
                if let event = endLine() { events.append(event) }
            }
            start = index + 1
        }
        if start < bytes.count {
            try take(bytes[start...])
            endedWithReturn = false
        }
        return events
    }

    /// Ends the stream. Returns the last event if it has data and only lacks the blank line after it, which some servers leave out.
    package mutating func finish() -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        if !line.isEmpty, let event = endLine() { events.append(event) }
        if let event = endLine() { events.append(event) }
        return events
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) throws(OverlongEvent) {
        guard bytes.count <= maxEventBytes - line.count - (data?.count ?? 0) else { throw OverlongEvent(limit: maxEventBytes) }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer {
            line.removeAll(keepingCapacity: true)
            isFirstLine = false
        }
        var field = line[...]
        if isFirstLine, field.starts(with: [0xEF, 0xBB, 0xBF]) { field = field.dropFirst(3) }
        guard !field.isEmpty else { return endEvent() }
        let key = field.prefix { $0 != UInt8(ascii: ":") }
        var value = field.dropFirst(key.count + 1)
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if key.elementsEqual("data".utf8) {
            if data == nil { data = Array(value) } else { data?.append(contentsOf: [UInt8(ascii: "\n")] + value) }
        } else if key.elementsEqual("event".utf8) {
            name = Array(value)
        }
        return nil
    }

    private mutating func endEvent() -> ServerSentEvent? {
        defer {
            name = []
            data = nil
        }
        guard let data else { return nil }
        var event = ServerSentEvent(data: String(decoding: data, as: UTF8.self))
        if !name.isEmpty { event.name = String(decoding: name, as: UTF8.self) }
        return event
    }
}

/// One event of a `text/event-stream`.
package struct ServerSentEvent: Sendable, Equatable {
    /// Its `event` field; nil if it has none.
    package var name: String?
    /// Its `data` lines, joined by line feeds.
    package var data: String

    package init(name: String? = nil, data: String) {
        self.name = name
        self.data = data
    }
}

/// An event of a `text/event-stream`, or one of its lines, that is longer than is read.
package struct OverlongEvent: Error, Sendable, Equatable {
    /// The most bytes that are read of one.
    package var limit: Int
}
