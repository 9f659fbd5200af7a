import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct BlockSequenceTests {
    private func steps(_ events: [ReplyEvent]) -> [BlockSequence.Step] {
        var sequence = BlockSequence()
        let steps = events.reduce(into: [BlockSequence.Step]()) { $0 += sequence.take($1) }
        return steps + sequence.end()
    }

    @Test func aBlockIsClosedBeforeTheNextIsOpened() {
        let steps = steps([.reasoning("r"), .text("a"), .text("b"), .toolCall(index: 0, id: "c", name: "f"), .arguments(index: 0, "{}")])
        #expect(
            steps == [
                .open(.reasoning), .add("r"), .close, .open(.text), .add("a"), .add("b"), .close, .open(.call(id: "c", name: "f")),
                .add("{}"), .close,
            ])
    }

    @Test func whatComesWhileACallsArgumentsAreNotWholeWaits() {
        let steps = steps([
            .toolCall(index: 0, id: "c0", name: "f"), .arguments(index: 0, "{\"a\":"), .toolCall(index: 1, id: "c1", name: "g"),
            .arguments(index: 1, "{"), .arguments(index: 0, "\"}\"}"), .arguments(index: 1, "}"),
        ])
        #expect(
            steps == [
                .open(.call(id: "c0", name: "f")), .add("{\"a\":"), .add("\"}\"}"), .close, .open(.call(id: "c1", name: "g")), .add("{"),
                .add("}"), .close,
            ])
    }

    @Test func aCallWithoutArgumentsHoldsTheOthersBackUntilTheEnd() {
        let steps = steps([
            .toolCall(index: 0, id: "c0", name: "f"), .toolCall(index: 1, id: "c1", name: "g"), .arguments(index: 1, "{}"), .text("t"),
        ])
        #expect(
            steps == [
                .open(.call(id: "c0", name: "f")), .close, .open(.call(id: "c1", name: "g")), .add("{}"), .close, .open(.text), .add("t"),
                .close,
            ])
    }

    @Test func anIdThatIsRepeatedBeginsNoOtherCall() {
        let steps = steps([
            .toolCall(index: 0, id: "c", name: "f"), .arguments(index: 0, "{"), .toolCall(index: 0, id: "c", name: "f"),
            .arguments(index: 0, "}"),
        ])
        #expect(steps == [.open(.call(id: "c", name: "f")), .add("{"), .add("}"), .close])
    }

    @Test func longTextsAreCutWhereACharacterEnds() {
        let text = "x" + String(repeating: "🙂", count: 10_000)
        let pieces = Array(TextPieces(text))
        #expect(pieces.joined() == text)
        #expect(pieces.allSatisfy { $0.utf8.count <= TextPieces.maxBytes && $0.utf8.count > TextPieces.maxBytes - 4 || $0 == pieces.last })
        #expect(Array(TextPieces("")).isEmpty)
    }
}
