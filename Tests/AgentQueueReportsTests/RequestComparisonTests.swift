import AgentQueueModel
import AgentQueueReports
import Testing

/// What makes two requests differ, by itself.
@Suite struct RequestComparisonTests {
    private typealias Side = RequestComparison.Side

    private static func side(_ body: JSONValue, _ change: (inout Side) -> Void = { _ in }) throws -> Side {
        let target = try #require(Target("local/m"))
        var side = Side(
            kind: .generate, target: target, body: body, digest: body.utf8(sorted: true), usesCache: true, identity: "openai http://a/v1")
        change(&side)
        return side
    }

    private static func asking(_ text: String) -> JSONValue { ["messages": [["content": .string(text), "role": "user"]]] }

    private func differences(_ a: JSONValue, _ b: JSONValue) throws -> [RequestDifference] {
        let comparison = RequestComparison(try Self.side(a), try Self.side(b))
        #expect(!comparison.isSame)
        return comparison.differences
    }

    @Test("The same request has no differences; the cache's use may differ")
    func same() throws {
        let side = try Self.side(Self.asking("x"))
        #expect(RequestComparison(side, side).isSame)
        #expect(RequestComparison(side, side).differences == [])
        let comparison = RequestComparison(side, try Self.side(Self.asking("x")) { $0.usesCache = false })
        #expect(comparison.isSame)
        #expect(comparison.differences == [RequestDifference("cache", true, false)])
    }

    @Test("Kind and target are told whole")
    func kindAndTarget() throws {
        let other = try #require(Target("openai/m"))
        let comparison = RequestComparison(
            try Self.side(["input": ["a"]]) { ($0.kind, $0.digest) = (.embed, [1]) }, try Self.side(["input": ["a"]]) { $0.target = other })
        #expect(
            comparison.differences.prefix(2) == [
                RequestDifference("kind", "embed", "generate"), RequestDifference("target", "local/m", "openai/m"),
            ])
    }

    @Test("Members of the body, however deep, by their paths")
    func members() throws {
        let a: JSONValue = [
            "messages": [["content": "x", "role": "user"]], "temperature": 0.5, "tools": [["function": ["name": "f", "strict": true]]],
            "only_a": [1, 2],
        ]
        let b: JSONValue = [
            "messages": [["content": "x", "role": "user"], ["content": "y", "role": "assistant"]], "temperature": 1,
            "tools": [["function": ["name": "f", "strict": false]]], "sample": 2,
        ]
        #expect(
            try differences(a, b) == [
                RequestDifference("messages[1]", nil, #"{"content":"y","role":"assistant"}"#), RequestDifference("temperature", 0.5, 1),
                RequestDifference("tools[0].function.strict", true, false), RequestDifference("only_a", "[1,2]", nil),
                RequestDifference("sample", nil, 2),
            ])
    }

    @Test("What is no part of the cache key is no difference")
    func ignored() throws {
        let a: JSONValue = ["messages": [], "user": "ada", "seed": 1]
        let b: JSONValue = ["messages": [], "user": "bob", "service_tier": "flex", "seed": 2]
        #expect(try differences(a, b) == [RequestDifference("seed", 1, 2)])
    }

    @Test("The order of members is a difference in schemas alone")
    func order() throws {
        func body(_ properties: JSONValue) -> JSONValue {
            ["messages": [], "response_format": ["json_schema": ["schema": ["properties": properties]]]]
        }
        func compare(_ a: JSONValue, _ b: JSONValue) throws -> [RequestDifference] {
            RequestComparison(try Self.side(a) { $0.digest = [1] }, try Self.side(b) { $0.digest = [2] }).differences
        }
        #expect(
            try compare(body(["why": true, "answer": true]), body(["answer": true, "why": true])) == [
                RequestDifference(
                    "response_format.json_schema.schema.properties", "why, answer", "answer, why", hint: .memberOrder)
            ])
        #expect(
            try compare(body(["why": true, "answer": true]), body(["answer": false, "b": true, "why": true])).map(\.path).sorted() == [
                "response_format.json_schema.schema.properties", "response_format.json_schema.schema.properties.answer",
                "response_format.json_schema.schema.properties.b",
            ])
        let asked: JSONValue = ["messages": [["role": "user", "content": "x"]], "seed": 1]
        let swapped: JSONValue = ["messages": [["content": "x", "role": "user"]], "seed": 2]
        #expect(try compare(asked, swapped) == [RequestDifference("seed", 1, 2)])
    }

    @Test("A text is shown around the first character that differs")
    func texts() throws {
        let head = String(repeating: "h", count: 500)
        let tail = String(repeating: "t", count: 500)
        let difference = try #require(try differences(Self.asking(head + "1" + tail), Self.asking(head + "2" + tail)).first)
        #expect(difference.path == "messages[0].content")
        #expect(difference.character == 501)
        let (before, after) = (String(repeating: "h", count: 20), String(repeating: "t", count: 39))
        #expect(difference.a == .string("…\(before)1\(after)…"))
        #expect(difference.b == .string("…\(before)2\(after)…"))
        let ended = try #require(try differences(Self.asking(head), Self.asking(head + "!")).first)
        #expect(ended.character == 501)
        #expect(ended.a == .string("…\(before)"))
        #expect(ended.b == .string("…\(before)!"))
        let short = try #require(try differences(Self.asking("abc"), Self.asking("abd")).first)
        #expect((short.a, short.b, short.character) == ("abc", "abd", 3))
    }

    @Test(
        "Hints at what changes from run to run",
        arguments: [
            ("request 123e4567-e89b-12d3-a456-426614174000 now", "request 123e4567-e89b-12d3-a456-426614174001 now", TextHint.randomID),
            ("id: req_8fk2Lq09xZbT4nW1", "id: req_9ak2Lq09xZbT4nW7", .randomID),
            ("(sha 9f86d081884c7d65)", "(sha 1b4f0e9851971998)", .randomID),
            ("It is 2026-11-22T12:57:01.123Z.", "It is 2026-11-22T12:57:02.001Z.", .time),
            ("today: 2026-11-22", "today: 2026-12-01", .time), ("at 12:57:01", "at 9:03:59", .time),
            ("at 12:57:01+02:00", "at 12:58:01+02:00", .time), ("t=1795305600", "t=1795305601", .time),
            ("t: 1795305600", "t: 1795309999", .time),
            ("ms 1795305600123", "ms 1795309999321", .time), ("a  b", "a b", .whiteSpace), ("a\n", "a", .whiteSpace),
            ("caf\u{E9}", "cafe\u{301}", .unicodeForm), ("cat", "dog", nil), ("version 3", "version 4", nil),
            ("internationalisation", "internationalization", nil), ("", "x", nil),
        ] as [(String, String, TextHint?)])
    func hints(_ a: String, _ b: String, _ hint: TextHint?) throws {
        let difference = try #require(try differences(Self.asking(a), Self.asking(b)).first)
        #expect(difference.hint == hint)
    }

    @Test("Equal requests with other keys were answered for by another provider")
    func providers() throws {
        let body = Self.asking("x")
        let now = try Self.side(body)
        let before = try Self.side(body) { ($0.digest, $0.identity) = ([1], nil) }
        let long = try Self.side(body) { ($0.digest, $0.identity) = ([2], nil) }
        #expect(
            RequestComparison(before, now).differences == [
                RequestDifference("provider", "configured otherwise", "openai http://a/v1, as configured now")
            ])
        #expect(RequestComparison(before, long).differences.map(\.path) == ["provider"])
        // Beside another difference it is named only where it is certain.
        let other = Self.asking("y")
        #expect(RequestComparison(before, try Self.side(other)).differences.map(\.path) == ["messages[0].content", "provider"])
        #expect(RequestComparison(now, try Self.side(other)).differences.map(\.path) == ["messages[0].content"])
    }

    @Test("Requests that have nothing in common are not listed without end")
    func bound() throws {
        func many(_ word: String) -> JSONValue { ["input": .array((0..<5_000).map { .string("\(word)\($0)") })] }
        #expect(try differences(many("a"), many("b")).count == RequestComparison.most)
    }
}
