import Testing

@testable import AgentQueueModel

/// Where `--search` looks, and what it takes for the same.
@Suite struct TextSearchTests {
    private static let request: JSONValue = [
        "messages": [
            ["role": "system", "content": "Be \"brief\".\nAnswer in ÄÖÜ."],
            [
                "role": "user",
                "content": [["type": "text", "text": "What is AAB?"], ["type": "image_url", "image_url": ["url": "data:x"]]],
            ],
        ],
        "model": "local/secret",
    ]

    @Test(arguments: [
        ("brief", true), ("BRIEF", true), ("\"brief\"", true), ("brief\".\nanswer", true), ("äöü", true), ("ÄÖ", true), ("aab", true),
        ("aaab", false), ("secret", false), ("user", false), ("content", false), ("data:x", false), ("ab", true), ("äa", false),
    ])
    func findsTexts(_ text: String, _ isThere: Bool) throws {
        #expect(try TextSearch([text]).matches(body: Self.request.text) == isThere)
        #expect(try TextSearch(["not there", text]).matches(body: Self.request.text) == isThere)
    }

    @Test func inputsAreSearchedToo() throws {
        #expect(try TextSearch(["two"]).matches(body: #"{"input":["one","Two"]}"#))
        #expect(try TextSearch(["two"]).matches(body: #"{"input":"Two"}"#))
        #expect(try !TextSearch(["model"]).matches(body: #"{"input":["one"],"model":"m"}"#))
    }
}
