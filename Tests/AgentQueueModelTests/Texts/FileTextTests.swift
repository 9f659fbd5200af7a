import AgentQueueModel
import Testing

@Suite struct FileTextTests {
    @Test func aByteOrderMarkIsNoPartOfTheText() throws {
        #expect(try FileText.read([0xEF, 0xBB, 0xBF] + Array("text".utf8)) == "text")
        #expect(try FileText.read(Array("text".utf8)) == "text")
        #expect(try FileText.read([]).isEmpty)
        let inside = "a\u{FEFF}b"
        #expect(try FileText.read(Array(inside.utf8)).unicodeScalars.elementsEqual(inside.unicodeScalars))
    }

    @Test func otherEncodingsAreRefused() {
        #expect(throws: InvalidText("is not valid UTF-8")) { try FileText.read([0x61, 0xE9]) }
        #expect(throws: InvalidText("is UTF-16 text, not UTF-8 (convert it with iconv -f UTF-16 -t UTF-8)")) {
            try FileText.read([0xFF, 0xFE, 0x61, 0x00])
        }
    }
}
