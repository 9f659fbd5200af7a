import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Forms with files, in whatever pieces they arrive.
@Suite struct MultipartParserTests {
    private static let form =
        "preamble\r\n--b-1\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b-1 \r\n"
        + "content-disposition: form-data; name=\"file\"; filename=\"a%22b\\\"c.jsonl\"\r\nContent-Type: text/plain; charset=x\r\n\r\n"
        + "one\r\n--b-2\r\n\r\n--b-\r\n\r\n--b-1\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--b-1--\r\nepilogue"

    private static let parts = [
        MultipartPart(name: "purpose"), MultipartPart(name: "file", filename: "a\"b\"c.jsonl", mediaType: "text/plain; charset=x"),
        MultipartPart(name: "empty"),
    ]

    @Test(arguments: [1, 2, 3, 5, 7, 64, 1_000])
    func theSamePartsComeFromPiecesOfAnyLength(_ length: Int) throws {
        var parser = try MultipartParser(contentType: "multipart/form-data; boundary=b-1")
        var (parts, bodies): ([MultipartPart], [[UInt8]]) = ([], [])
        var rest = Array(Self.form.utf8)[...]
        while !rest.isEmpty {
            for event in try parser.feed(rest.prefix(length)) {
                switch event {
                case .part(let part):
                    parts.append(part)
                    bodies.append([])
                case .bytes(let bytes): bodies[bodies.count - 1] += bytes
                }
            }
            rest = rest.dropFirst(length)
        }
        #expect(parser.isComplete && parts == Self.parts)
        #expect(bodies.map { String(decoding: $0, as: UTF8.self) } == ["batch", "one\r\n--b-2\r\n\r\n--b-\r\n", ""])
    }

    @Test func aFormThatIsCutIsNotComplete() throws {
        var parser = try MultipartParser(contentType: "multipart/form-data; boundary=\"b-1\"")
        _ = try parser.feed(Self.form.utf8.prefix(Self.form.utf8.count - 12))
        #expect(!parser.isComplete)
    }

    @Test func aNameMayBeWrittenInFull() throws {
        var parser = try MultipartParser(contentType: "multipart/form-data; boundary=x")
        let form = "--x\r\nContent-Disposition: form-data; filename*=UTF-8''%C3%A4%20b; filename=a; name=file\r\n\r\n"
        #expect(try parser.feed(form.utf8) == [.part(MultipartPart(name: "file", filename: "ä b"))])
    }

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\(String(repeating: "x", count: 71))",
    ])
    func aFormNeedsABoundary(_ type: String) { #expect(throws: RequestError.self) { try MultipartParser(contentType: type) } }

    @Test(arguments: ["--xy\r\n\r\n\r\n", "--x\r\n\r\nbody", "--x\r\nnonsense\r\n\r\n", "--x\r\n\(String(repeating: "a", count: 9_000))"])
    func whatIsNoFormIsRefused(_ form: String) throws {
        var parser = try MultipartParser(contentType: "multipart/form-data; boundary=x")
        #expect(throws: RequestError.self) { try parser.feed(form.utf8) }
    }
}
