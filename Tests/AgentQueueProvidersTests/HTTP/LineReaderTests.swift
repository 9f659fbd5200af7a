import Testing

@testable import AgentQueueProviders

@Suite struct LineReaderTests {
    private func lines(_ text: String, pieces size: Int) throws -> (whole: [String], rest: String?) {
        var reader = LineReader(maxLineBytes: 100)
        var whole: [[UInt8]] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            whole += try reader.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        return (whole.map { String(decoding: $0, as: UTF8.self) }, reader.finish().map { String(decoding: $0, as: UTF8.self) })
    }

    @Test(arguments: 1...9) func linesAreWholeHoweverTheyAreCut(size: Int) throws {
        let (whole, rest) = try lines("one\ntwö\r\n\n  \r\nthree\nfour", pieces: size)
        #expect(whole == ["one", "twö", "three"])
        #expect(rest == "four")
        #expect(try lines("one\n", pieces: size).rest == nil)
        #expect(try lines("", pieces: size).whole.isEmpty)
    }

    @Test func aLineIsBounded() throws {
        var reader = LineReader(maxLineBytes: 4)
        #expect(try reader.feed(Array("1234\n12".utf8)).count == 1)
        #expect(throws: HTTPFailure.tooLarge(limit: 4)) { try reader.feed(Array("345\n".utf8)) }
    }
}
