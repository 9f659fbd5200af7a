import AgentQueueModel
import Testing

@testable import AgentQueueProviders

@Suite struct StreamJSONParserTests {
    private static let output = Array(
        "Warning: old\n{\"a\":1}\n\n[1]\n{\"t\":\"\u{2028}\\n\u{1F600}\",\"r\":\"\\r\"}\r\n{\"broken\":\n{\"b\":2}\n{\"last\":true}".utf8)

    /// All that a parser makes of pieces of the output.
    private func parse(_ pieces: [[UInt8]], maxLineBytes: Int = 1_000) throws -> [JSONValue] {
        var parser = StreamJSONParser(maxLineBytes: maxLineBytes)
        var values: [JSONValue] = []
        for piece in pieces { values += try parser.feed(piece) }
        return values + [parser.finish()].compactMap(\.self)
    }

    @Test func linesAreTheSameWhereverTheOutputIsCut() throws {
        let whole = try parse([Self.output])
        #expect(whole == [["a": 1], ["t": "\u{2028}\n\u{1F600}", "r": "\r"], ["type": "unreadable"], ["b": 2], ["last": true]])
        for cut in Self.output.indices {
            #expect(try parse([Array(Self.output[..<cut]), Array(Self.output[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(try parse(Self.output.map { [$0] }) == whole)
    }

    @Test func aLineThatIsTooLongIsRefusedBeforeItIsKept() throws {
        let line = Array(#"{"a":"0123456789"}"#.utf8)
        #expect(try parse([line + [10]], maxLineBytes: line.count) == [["a": "0123456789"]])
        #expect(throws: StreamJSONParser.LineTooLong(limit: line.count - 1)) { try parse([line + [10]], maxLineBytes: line.count - 1) }
        #expect(throws: StreamJSONParser.LineTooLong(limit: 5)) { try parse([[123, 123, 123], [123, 123, 123]], maxLineBytes: 5) }
    }

    @Test func halfASurrogatePairIsNoReasonToLoseALine() throws {
        let lines = #"{"type":"result","result":"\ud83d\ude00 \ud83d x \ude00 \\ud83d"}"# + "\n"
        #expect(try parse([Array(lines.utf8)]) == [["type": "result", "result": "\u{1F600} \u{FFFD} x \u{FFFD} \\ud83d"]])
    }

    @Test func whatIsHarmlessIsNoReasonEither() throws {
        let lines = "{\"type\":\"result\",\"x\":1,\"x\":2,\"cost\":NaN,\"result\":\"a\tb\"}\n"
        #expect(try parse([Array(lines.utf8)]) == [["type": "result", "x": 2, "cost": .null, "result": "a\tb"]])
    }

    @Test func aResultThatCannotBeReadIsStillAResult() throws {
        let lines = "{\"type\":\"result\",\"x\":\n{\"type\":\"other\",\"x\":\n"
        let values = try parse([Array(lines.utf8)])
        #expect(values == [["type": "result", "subtype": "unreadable", "is_error": true], ["type": "unreadable"]])
    }

    @Test func noBytesCrashIt() throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("{}[]\",:\\u0dD8abc\n\n 1\u{7F}é".utf8) + [0, 255]
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = try parse([bytes])
        }
    }
}
