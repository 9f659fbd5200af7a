import Testing

@testable import AgentQueueDialects

@Suite struct ServerSentEventParserTests {
    typealias Event = ServerSentEvent

    /// All events of a stream that comes in these pieces.
    func events(_ pieces: [[UInt8]]) throws -> [Event] {
        var parser = ServerSentEventParser()
        var events: [Event] = []
        for piece in pieces { events += try parser.feed(piece) }
        return events + parser.finish()
    }

    static let table: [(String, [Event])] = [
        ("", []),
        ("\n\n\n", []),
        ("data: a\n\n", [Event(data: "a")]),
        ("data:a\n\n", [Event(data: "a")]),
        ("data:  a\n\n", [Event(data: " a")]),
        ("data: a\ndata: b\n\n", [Event(data: "a\nb")]),
        ("data\n\n", [Event(data: "")]),
        ("data:\ndata\n\n", [Event(data: "\n")]),
        ("event: ping\ndata: a\n\ndata: b\n\n", [Event(name: "ping", data: "a"), Event(data: "b")]),
        ("event: ping\n\ndata: b\n\n", [Event(data: "b")]),
        ("event:\ndata: b\n\n", [Event(data: "b")]),
        (": comment\n\n: OPENROUTER PROCESSING\n\ndata: a\n: in between\ndata: b\n\n", [Event(data: "a\nb")]),
        ("id: 7\nretry: 10\nunknown: x\ndata: a\n\n", [Event(data: "a")]),
        ("dataset: x\n\n", []),
        ("\u{FEFF}data: a\n\n", [Event(data: "a")]),
        ("data: a\n\n\u{FEFF}data: b\n\n", [Event(data: "a")]),
        ("data: {\"a\": \"b: c\"}\n\n", [Event(data: "{\"a\": \"b: c\"}")]),
        // Without the blank line at the end, and without the line's own.
        ("data: a\n\ndata: b\n", [Event(data: "a"), Event(data: "b")]),
        ("data: a\n\ndata: b", [Event(data: "a"), Event(data: "b")]),
        ("data: a\n\nevent: b\n", [Event(data: "a")]),
        ("data: a\n\nda", [Event(data: "a")]),
    ]

    @Test(arguments: table.indices, ["\n", "\r", "\r\n"]) func aStreamIsRead(row: Int, lineEnd: String) throws {
        let (text, expected) = Self.table[row]
        #expect(try events([Array(text.replacing("\n", with: lineEnd).utf8)]) == expected)
    }

    static let recorded = "\u{FEFF}: hi\n\nevent: a\ndata: {\"x\":\"é👩‍👩‍👧\"}\n\ndata: one\ndata: two\nid: 1\n\n: ping\n\ndata: [DONE]\n\n"

    @Test(arguments: ["\n", "\r", "\r\n"]) func itMayBeCutAnywhere(lineEnd: String) throws {
        let bytes = Array(Self.recorded.replacing("\n", with: lineEnd).utf8)
        let expected = [Event(name: "a", data: "{\"x\":\"é👩‍👩‍👧\"}"), Event(data: "one\ntwo"), Event(data: "[DONE]")]
        for cut in 0...bytes.count {
            #expect(try events([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(try events(bytes.map { [$0] }) == expected)
        #expect(try events(bytes.flatMap { [[], [$0], []] }) == expected)
    }

    @Test func mixedLineEndsAreLegal() throws {
        #expect(try events([Array("data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r".utf8)]) == [Event(data: "a\nb\nc"), Event(data: "d")])
    }

    @Test func anEventComesWithItsBlankLine() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("data: a\n".utf8)) == [])
        #expect(try parser.feed(Array("\n".utf8)) == [Event(data: "a")])
        #expect(try parser.feed(Array("data: b\r\r".utf8)) == [Event(data: "b")])
        #expect(try parser.feed(Array("\ndata: c\n\n".utf8)) == [Event(data: "c")])
        #expect(parser.finish() == [])
    }

    @Test func brokenUTF8IsRepaired() throws {
        #expect(try events([Array("data: a".utf8), [0xFF, 0xC3], Array("b\n\n".utf8)]) == [Event(data: "a\u{FFFD}\u{FFFD}b")])
    }

    @Test func anEventIsBounded() throws {
        var parser = ServerSentEventParser(maxEventBytes: 10)
        #expect(try parser.feed(Array("data: 1234\n\ndata: 5678\n\n".utf8)).count == 2)
        #expect(throws: OverlongEvent(limit: 10)) { try parser.feed(Array("data: 12345".utf8)) }
        var lines = ServerSentEventParser(maxEventBytes: 20)
        #expect(throws: OverlongEvent(limit: 20)) { try lines.feed(Array(String(repeating: "data: 12345\n", count: 4).utf8)) }
    }
}
