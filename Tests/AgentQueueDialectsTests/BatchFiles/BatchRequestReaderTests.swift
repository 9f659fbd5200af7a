import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Reading the requests of batches.
@Suite struct BatchRequestReaderTests {
    private static func read(_ text: String, _ form: RequestForm = .chat, pieces size: Int = 7) throws -> [BatchRequestReader.Line] {
        var reader = BatchRequestReader(form: form, longest: 2_000)
        let bytes = Array(text.utf8)
        var lines: [BatchRequestReader.Line] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += try reader.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        return lines + (try reader.finish())
    }

    private static func line(_ id: String, _ body: String = #"{"model":"m"}"#, url: String = "/v1/chat/completions") -> String {
        #"{"custom_id":"\#(id)","method":"POST","url":"\#(url)","body":\#(body)}"#
    }

    private static func error(_ line: BatchRequestReader.Line) -> BatchLineError? {
        if case .failure(let error) = line { error } else { nil }
    }

    // MARK: OpenAI

    @Test(arguments: [1, 2, 3, 5, 64, 10_000]) func aFileIsReadHoweverItIsCut(size: Int) throws {
        let text = Self.line("a", #"{ "model":"m", "x":1.0e2 }"#) + "\r\n\n  \n" + Self.line("ü", #"{"model":"m","y":"{\"\\"}"#)
        let read = try Self.read(text, pieces: size)
        let expected = [
            BatchRequest(line: 1, customID: "a", body: Array(#"{ "model":"m", "x":1.0e2 }"#.utf8)),
            BatchRequest(line: 4, customID: "ü", body: Array(#"{"model":"m","y":"{\"\\"}"#.utf8)),
        ]
        #expect(try read.map { try $0.get() } == expected)
    }

    @Test(
        arguments: [
            (#"{"custom_id":"a","#, "invalid_json_line", nil), ("[1]", "invalid_json_line", nil),
            (#"{"method":"POST","url":"/v1/chat/completions","body":{}}"#, "missing_required_parameter", "custom_id"),
            (#"{"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{}}"#, "missing_required_parameter", "method"),
            (#"{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{}}"#, "invalid_url", "url"),
            (#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":[]}"#, "missing_required_parameter", "body"),
            (#"{"custom_id":"a","custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{}}"#, "invalid_json_line", nil),
        ] as [(String, String, String?)])
    func aWrongLineIsToldByItsNumber(text: String, code: String, param: String?) throws {
        let read = try Self.read(Self.line("z") + "\n" + text + "\n" + Self.line("b"))
        #expect(read.count == 3)
        let error = try #require(Self.error(read[1]))
        #expect(error.code == code && error.param == param && error.line == 2)
        #expect(try read[2].get().customID == "b")
    }

    @Test func aLineThatIsTooLongIsOneError() throws {
        let read = try Self.read(Self.line(String(repeating: "a", count: 7_000)) + "\n" + Self.line("b"))
        #expect(read.count == 2 && Self.error(read[0])?.code == "invalid_json_line")
        #expect(try read[1].get().line == 2)
        let long = try Self.read(Self.line(String(repeating: "a", count: 513)))
        #expect(Self.error(long[0])?.param == "custom_id")
    }

    @Test func anEmptyFileIsNoBatch() throws {
        for text in ["", "\n \n"] {
            let error = #expect(throws: BatchLineError.self) { try Self.read(text) }
            #expect(error?.code == "empty_file" && error?.line == nil)
        }
    }

    @Test func aFileHasBounds() throws {
        var reader = BatchRequestReader(form: .chat)
        let line = Array((Self.line("a") + "\n").utf8)
        for _ in 0..<50_000 { #expect(try reader.feed(line).count == 1) }
        #expect(throws: BatchLineError.self) { try reader.feed(line) }
        let models = (0...100).map { Self.line("\($0)", #"{"model":"m\#($0)"}"#) }.joined(separator: "\n")
        #expect(Self.error(try #require(try Self.read(models).last))?.code == "mismatched_model")
        var embeddings = BatchRequestReader(form: .embeddings)
        let inputs = #"{"model":"m","input":["# + Array(repeating: #""a""#, count: 2_048).joined(separator: ",") + "]}"
        let big = Array((Self.line("a", inputs, url: "/v1/embeddings") + "\n").utf8)
        for _ in 0..<24 { #expect(try embeddings.feed(big).count == 1) }
        #expect(throws: BatchLineError.self) { try embeddings.feed(big) }
    }

    // MARK: Anthropic

    @Test(arguments: [1, 2, 3, 5, 64, 10_000]) func aBodyIsReadHoweverItIsCut(size: Int) throws {
        let text =
            #" { "other" : {"requests":[1]}, "flag":true,"n":-1.5e3 , "r\u0065quests" : [ {"custom_id":"a","params":{"a":"}]\"\\"}} ,"#
            + "\n" + #"{"custom_id":"b","params":{ "b" : [ {}, "{" ] }}] , "last":null } "#
        let read = try Self.read(text, .messages, pieces: size)
        let expected = [
            BatchRequest(line: 1, customID: "a", body: Array(#"{"a":"}]\"\\"}"#.utf8)),
            BatchRequest(line: 2, customID: "b", body: Array(#"{ "b" : [ {}, "{" ] }"#.utf8)),
        ]
        #expect(try read.map { try $0.get() } == expected)
    }

    @Test(arguments: [
        "", "[]", "{", "{}", #"{"requests":{}}"#, #"{"requests":[]}"#, #"{"requests":[}"#, #"{"requests":[{}{}]}"#, #"{"requests":[{},]}"#,
        #"{"requests":[{"a":1}]"#, #"{"requests":[{"a":1}]}x"#, #"{"requests":[{"a":1}],}"#, #"{"requests":[{"a":1}],"requests":[]}"#,
        #"{"a":tru,"requests":[{"a":1}]}"#, #"{"a" 1}"#, #"{"a":1 "b":2}"#, #"{1:2}"#, "{\"a\":\"\n\",\"requests\":[]}",
    ])
    func whatIsNoListOfRequestsIsRefusedAsAWhole(text: String) {
        #expect(throws: BatchLineError.self) { try Self.read(text, .messages) }
    }

    @Test(arguments: [
        ("1", "invalid_json_line"), (#""a""#, "invalid_json_line"), (#"{"custom_id":"a","params":{"a":01}}"#, "invalid_json_line"),
        (#"{"custom_id":"a b","params":{}}"#, "missing_required_parameter"),
        (#"{"custom_id":"","params":{}}"#, "missing_required_parameter"),
        (#"{"custom_id":"a","params":"x"}"#, "missing_required_parameter"), (#"{"custom_id":"a"}"#, "missing_required_parameter"),
    ])
    func aWrongRequestIsToldByItsPlace(request: String, code: String) throws {
        let read = try Self.read(#"{"requests":[\#(request),{"custom_id":"b","params":{}}]}"#, .messages)
        #expect(read.count == 2 && Self.error(read[0])?.code == code && Self.error(read[0])?.line == 1)
        #expect(try read[1].get().customID == "b")
    }

    @Test func aRequestThatIsTooLongIsRefused() {
        let params = #"{"a":"\#(String(repeating: "x", count: 7_000))"}"#
        let error = #expect(throws: BatchLineError.self) {
            try Self.read(#"{"requests":[{"custom_id":"a","params":\#(params)}]}"#, .messages)
        }
        #expect(error?.refusal.cause == .tooLarge)
    }

    @Test func anErrorReadsAsOpenAIHasIt() {
        let error = BatchLineError(RequestError("model is missing", param: "model"), line: 3)
        #expect(error.json.text == #"{"code":"invalid_request","message":"model is missing","param":"body.model","line":3}"#)
        #expect(BatchLineError.duplicate("a", line: 2).json["code"] == "duplicate_custom_id")
    }
}
