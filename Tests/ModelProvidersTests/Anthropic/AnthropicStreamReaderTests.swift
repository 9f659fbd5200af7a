import ModelCalls
import TestSupport
import Testing

@testable import ModelProviders

@Suite(.timeLimit(.minutes(1))) struct AnthropicStreamReaderTests {
    @Test(arguments: [1, 2, 3, 7, 64, 1_000, 100_000]) func whereTheBytesAreCutMakesNoDifference(size: Int) async throws {
        let told = ToldText()
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onText: { told.add($0) })
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        for start in stride(from: 0, to: bytes.count, by: size) { reader.take(Array(bytes[start..<min(start + size, bytes.count)])) }
        try await within(.seconds(10), "it is over") { await reader.waitUntilOver() }
        let (head, stream, problem) = reader.finish()
        #expect(head == nil && problem == nil)
        #expect(stream.isComplete)
        #expect(try AnthropicReply.message(stream.body, usage: stream.usage.usage, requestID: nil) == AnthropicSample.reply)
        #expect(told.all == ["Hello, ", "wörld"])
        #expect(begun.count == 1)
    }

    /// Cut at every byte: a beginning is never an answer, and never misread.
    @Test func noBeginningIsAnAnswer() throws {
        let bytes = AnthropicSample.wire(AnthropicSample.events)
        // The last line feed is the blank line's, the one before it the data's: either may be missing.
        for count in 0..<bytes.count - 2 {
            let reader = AnthropicStreamReader(onBegin: {}, onText: nil)
            reader.take(Array(bytes.prefix(count)))
            let (_, stream, problem) = reader.finish()
            #expect(!stream.isComplete, "\(count) bytes")
            #expect(problem == nil, "\(count) bytes")
        }
    }

    @Test func itBeginsOnceAndNotWithAPing() {
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onText: nil)
        reader.take(AnthropicSample.wire([AnthropicSample.events[1]]))
        reader.take(Array(": comment\n\n".utf8))
        #expect(begun.count == 0)
        reader.take(AnthropicSample.wire([AnthropicSample.events[0]]))
        reader.take(AnthropicSample.wire(AnthropicSample.events[7..<9]))
        #expect(begun.count == 1)
    }

    @Test func anErrorIsNoBeginning() {
        let begun = Counter()
        let reader = AnthropicStreamReader(onBegin: { begun.add() }, onText: nil)
        reader.take(AnthropicSample.wire([(name: "error", data: #"{"type":"error","error":{"type":"overloaded_error"}}"#)]))
        #expect(begun.count == 0)
        #expect(reader.finish().stream.error?.type == "overloaded_error")
    }
}
