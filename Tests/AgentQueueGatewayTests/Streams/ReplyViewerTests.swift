import AgentQueueModel
import Testing

@testable import AgentQueueGateway

@Suite struct ReplyViewerTests {
    private let buffer = ReplyBuffer(StreamMemory(limit: 1_000_000))

    @Test func theBeginningGoesOutWithTheFirstContent() throws {
        var viewer = ReplyViewer(.chat)
        let add = buffer.begin()
        add(.begin(model: "m", id: "1", native: nil))
        #expect(try viewer.take(from: buffer).isEmpty)
        add(.usage(Usage(inputTokens: 3)))
        add(.text("a"))
        #expect(
            try viewer.take(from: buffer) == [.usage(Usage(inputTokens: 3)), .begin(model: "m", id: "1", native: nil), .text("a")])
    }

    @Test func anAttemptThatSaidNothingIsForgotten() throws {
        var viewer = ReplyViewer(.chat)
        buffer.begin()(.begin(model: "old", id: "1", native: nil))
        #expect(try viewer.take(from: buffer).isEmpty)
        let add = buffer.begin()
        add(.begin(model: "new", id: "2", native: nil))
        add(.text("a"))
        #expect(try viewer.take(from: buffer) == [.begin(model: "new", id: "2", native: nil), .text("a")])
    }

    @Test func whatMadeRoomIsNotMissed() throws {
        let buffer = ReplyBuffer(StreamMemory(limit: 1_000, reserve: 0))
        let signal = CallSignal()
        buffer.add(viewer: signal)
        var viewer = ReplyViewer(.chat)
        let add = buffer.begin()
        let text = String(repeating: "a", count: 400)
        for _ in 0..<10 {
            add(.text(text))
            #expect(try viewer.take(from: buffer, by: signal) == [.text(text)])
        }
        // The beginning is not there to be compared any more.
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.check(ModelReply(String(repeating: text, count: 10))) }
        add(.finish("stop"))
        _ = try viewer.take(from: buffer, by: signal)
        try viewer.check(ModelReply(String(repeating: text, count: 10)))
        let again = buffer.begin()
        again(.text(text))
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.take(from: buffer, by: signal) }
    }

    @Test func theSameAnswerGoesOnInAFurtherAttempt() throws {
        var viewer = ReplyViewer(.chat)
        let first = buffer.begin()
        for event in [ReplyEvent.begin(model: "m", id: "1", native: nil), .text("Hel"), .text("lo")] { first(event) }
        _ = try viewer.take(from: buffer)
        let second = buffer.begin()
        for event in [ReplyEvent.begin(model: "m", id: "2", native: nil), .text("Hello"), .text(" there"), .finish("stop")] {
            second(event)
        }
        #expect(try viewer.take(from: buffer) == [.text(" there"), .finish("stop")])
    }

    @Test func anotherAnswerEndsTheStream() throws {
        var viewer = ReplyViewer(.chat)
        buffer.begin()(.text("Hello"))
        _ = try viewer.take(from: buffer)
        buffer.begin()(.text("Good day"))
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.take(from: buffer) }
    }

    @Test func aNativeStreamDoesNotGoOnInAnotherForm() throws {
        var viewer = ReplyViewer(.messages)
        let first = buffer.begin()
        first(.begin(model: "m", id: "1", native: .messages))
        first(.native(event: "x", data: "{}"))
        #expect(try viewer.take(from: buffer).count == 2)
        buffer.begin()(.text("Hello"))
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.take(from: buffer) }
    }

    @Test func theStoredAnswerMustBeginWithWhatWasSent() throws {
        var viewer = ReplyViewer(.chat)
        buffer.begin()(.text("Hel"))
        _ = try viewer.take(from: buffer)
        try viewer.check(ModelReply("Hello"))
        try viewer.check(ModelReply(text: "Hello", reasoning: "The user greets."))
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.check(ModelReply("Good day")) }
        #expect(throws: ReplyViewer.Restarted.self) { try viewer.check(ModelReply("He")) }
    }
}
