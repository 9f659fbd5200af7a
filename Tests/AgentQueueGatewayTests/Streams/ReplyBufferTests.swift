import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueGateway

@Suite struct ReplyBufferTests {
    @Test func eachViewerReadsFromItsOwnPlace() {
        let buffer = ReplyBuffer(StreamMemory(limit: 1_000_000))
        let add = buffer.begin()
        add(.text("a"))
        #expect(Array(buffer.read(0, from: 0).events) == [.text("a")])
        add(.text("b"))
        #expect(Array(buffer.read(1, from: 1).events) == [.text("b")])
        #expect(Array(buffer.read(1, from: 0).events) == [.text("a"), .text("b")])
        #expect(buffer.read(1, from: 2).events.isEmpty)
    }

    @Test func aFurtherAttemptBeginsAnewAndSilencesTheLast() {
        let buffer = ReplyBuffer(StreamMemory(limit: 1_000_000))
        let first = buffer.begin()
        first(.text("old"))
        let second = buffer.begin()
        first(.text("late"))
        second(.text("new"))
        let page = buffer.read(1, from: 1)
        #expect(page.attempt == 2)
        #expect(Array(page.events) == [.text("new")])
    }

    @Test func whatDoesNotFitIsCutAndTheMemoryComesBack() {
        let memory = StreamMemory(limit: 1_000, reserve: 0)
        do {
            let buffer = ReplyBuffer(memory)
            let add = buffer.begin()
            add(.text(String(repeating: "a", count: 500)))
            #expect(!buffer.read(1, from: 0).isCut)
            add(.text(String(repeating: "b", count: 500)))
            add(.text("c"))
            #expect(buffer.read(1, from: 0).isCut)
            #expect(buffer.read(1, from: 0).events.count == 1)
            #expect(memory.bytes > 0)
        }
        #expect(memory.bytes == 0)
    }

    @Test func whatAllViewersHaveReadMakesRoom() {
        let memory = StreamMemory(limit: 1_000, reserve: 0)
        let buffer = ReplyBuffer(memory)
        let (quick, late) = (CallSignal(), CallSignal())
        buffer.add(viewer: quick)
        let add = buffer.begin()
        for place in 0..<10 {
            add(.text(String(repeating: "a", count: 400)))
            let page = buffer.read(1, from: place, by: quick)
            #expect(page.events.count == 1 && !page.isCut)
            #expect(page.hasDropped == (place >= 2))
        }
        #expect(memory.bytes <= 1_000)
        // Who comes now has no beginning, and holds nothing up.
        buffer.add(viewer: late)
        #expect(buffer.read(0, from: 0, by: late).events.isEmpty && buffer.read(0, from: 0, by: late).isCut)
        for place in 10..<20 {
            add(.text(String(repeating: "a", count: 400)))
            #expect(buffer.read(1, from: place, by: quick).events.count == 1)
        }
        // Who reads nothing keeps its events, until there is no room.
        for _ in 0..<4 { add(.text(String(repeating: "b", count: 400))) }
        #expect(buffer.read(1, from: 20, by: quick).isCut)
    }

    @Test func whoStallsTakesNoMemoryFromThoseWhoRead() {
        let memory = StreamMemory(limit: 1_000, reserve: 500)
        let (slow, quick) = (ReplyBuffer(memory), ReplyBuffer(memory))
        let signal = CallSignal()
        quick.add(viewer: signal)
        let stalled = slow.begin()
        for _ in 0..<4 { stalled(.text(String(repeating: "a", count: 400))) }
        #expect(slow.read(1, from: 0).isCut)
        let add = quick.begin()
        for place in 0..<10 {
            add(.text(String(repeating: "b", count: 400)))
            let page = quick.read(2, from: place, by: signal)
            #expect(page.events.count == 1 && !page.isCut)
        }
    }

    @Test func everyEventWakesTheViewers() async throws {
        let buffer = ReplyBuffer(StreamMemory(limit: 1_000_000))
        let signal = CallSignal()
        buffer.add(viewer: signal)
        let add = buffer.begin()
        add(.text("a"))
        try await within(.seconds(10), "the viewer wakes") { await signal.wait(until: nil) }
    }
}

@Suite struct AttemptComparisonTests {
    private func outcomes(_ sent: [ReplyEvent], _ events: [ReplyEvent], isNative: Bool = false) -> [AttemptComparison.Outcome] {
        var comparison = AttemptComparison(sent: sent, isNative: isNative)
        return events.map { comparison.compare($0) }
    }

    @Test func theSameTextInOtherPiecesGoesOn() {
        let sent: [ReplyEvent] = [.begin(model: "a", id: "1", native: nil), .text("Hel"), .text("lo")]
        let again: [ReplyEvent] = [.text("H"), .text("ello, wor"), .text("ld")]
        #expect(outcomes(sent, again) == [.same, .goesOn(.text(", wor")), .goesOn(.text("ld"))])
    }

    @Test func anotherTextDiffers() {
        #expect(outcomes([.text("Hello")], [.text("Hallo")]) == [.differs])
        #expect(outcomes([.text("Hello")], [.reasoning("Hello")]) == [.differs])
    }

    @Test func toolCallsMustBeTheSame() {
        let sent: [ReplyEvent] = [.toolCall(index: 0, id: "c1", name: "f"), .arguments(index: 0, "{\"a\"")]
        #expect(
            outcomes(sent, [.toolCall(index: 0, id: "c1", name: "f"), .arguments(index: 0, "{\"a\":1}")])
                == [.same, .goesOn(.arguments(index: 0, ":1}"))])
        #expect(outcomes(sent, [.toolCall(index: 0, id: "c2", name: "f")]) == [.differs])
    }

    @Test func aCutInsideACharacterDiffers() {
        #expect(outcomes([.text("e")], [.text("e\u{301}")]) == [.goesOn(.text("\u{301}"))])
    }

    @Test func onlyTheEventsThatTheClientWasSentCount() {
        let sent: [ReplyEvent] = [.native(event: nil, data: "1"), .text("a")]
        #expect(outcomes(sent, [.native(event: nil, data: "1")], isNative: true) == [.same])
        #expect(outcomes(sent, [.native(event: nil, data: "2")], isNative: true) == [.differs])
        #expect(outcomes(sent, [.text("ab")]) == [.goesOn(.text("b"))])
    }
}
