import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct PromptPrefixTests {
    static let mark: JSONValue = ["type": "ephemeral"]

    func prefix(
        model: String = "m", tools: [JSONValue] = [], system: [JSONValue] = [], blocks: [JSONValue], top: JSONValue? = nil
    ) -> PromptPrefix? {
        var members: [JSONValue.Member] = [
            .init("model", .string(model)), .init("tools", .array(tools)), .init("system", .array(system)),
            .init("messages", .array([.object([.init("role", "user"), .init("content", .array(blocks))])])),
        ]
        if let top { members.append(.init("cache_control", top)) }
        return PromptPrefix(.object(members))
    }

    func text(_ text: String, marked: Bool = false) -> JSONValue {
        let block: JSONValue = ["type": "text", "text": .string(text)]
        return marked ? block.marked(Self.mark) : block
    }

    @Test func withoutAMarkThereIsNone() {
        #expect(prefix(system: [text("s")], blocks: [text("q")]) == nil)
    }

    @Test func whatFollowsTheMarkIsNoPartOfIt() {
        let one = prefix(tools: [["name": "f"]], system: [text("s", marked: true)], blocks: [text("q")])
        #expect(one != nil)
        #expect(one == prefix(tools: [["name": "f"]], system: [text("s", marked: true)], blocks: [text("r", marked: true)]))
        #expect(one != prefix(tools: [["name": "g"]], system: [text("s", marked: true)], blocks: [text("q")]))
        #expect(one != prefix(tools: [["name": "f"]], system: [text("t", marked: true)], blocks: [text("q")]))
        #expect(one != prefix(model: "n", tools: [["name": "f"]], system: [text("s", marked: true)], blocks: [text("q")]))
    }

    @Test func theLastMarkOfToolsAndSystemCounts() {
        let tools = [JSONValue.object([.init("name", "f"), .init("cache_control", Self.mark)])]
        let shared = text("shared", marked: true)
        #expect(
            prefix(system: [shared, text("s", marked: true)], blocks: [text("q")])
                != prefix(system: [shared, text("t", marked: true)], blocks: [text("q")]))
        #expect(
            prefix(tools: tools, system: [text("s", marked: true)], blocks: [text("q")])
                != prefix(tools: tools, system: [text("t", marked: true)], blocks: [text("q")]))
        #expect(
            prefix(tools: tools, system: [text("s")], blocks: [text("q")]) == prefix(tools: tools, system: [text("t")], blocks: [text("q")])
        )
    }

    @Test func theFirstMarkOfTheMessagesCounts() {
        let document = text("document", marked: true)
        #expect(prefix(blocks: [document, text("a", marked: true)]) == prefix(blocks: [document, text("b", marked: true)]))
        #expect(prefix(blocks: [text("a"), document]) != prefix(blocks: [text("b"), document]))
        #expect(prefix(system: [text("s")], blocks: [document]) != prefix(system: [text("t")], blocks: [document]))
    }

    @Test func aMarkAtTheTopIsOneAtTheEnd() {
        #expect(prefix(blocks: [text("a")], top: Self.mark) != nil)
        #expect(prefix(blocks: [text("a")], top: Self.mark) == prefix(blocks: [text("a")], top: Self.mark))
        #expect(prefix(blocks: [text("a")], top: Self.mark) != prefix(blocks: [text("b")], top: Self.mark))
    }

    @Test func theMarkSaysHowLong() {
        #expect(prefix(blocks: [text("a")], top: Self.mark)?.timeToLive == 300_000)
        #expect(prefix(blocks: [text("a")], top: ["type": "ephemeral", "ttl": "1h"])?.timeToLive == 3_600_000)
    }
}
