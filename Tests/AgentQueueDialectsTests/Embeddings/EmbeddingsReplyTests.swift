import AgentQueueDialects
import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct EmbeddingsReplyTests {
    private func body(_ vectors: [[Float]], isBase64: Bool) -> [UInt8] {
        var context = ReplyContext.sample()
        context.isBase64 = isBase64
        let reply = ModelReply(vectors: vectors, usage: Usage(inputTokens: 3))
        return ReplyRenderer.body(of: Answer(reply), form: .embeddings, context: context)
    }

    @Test func vectorsAreWrittenAsAsked() {
        #expect(
            text(body([[0.1, -0.2], [1, 1e-7]], isBase64: false))
                == #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.2]},"#
                + #"{"object":"embedding","index":1,"embedding":[1.0,1e-07]}],"model":"asked","#
                + #""usage":{"prompt_tokens":3,"total_tokens":3}}"#)
        #expect(text(body([[1, -2]], isBase64: true)).contains(#""embedding":"AACAPwAAAMA=""#))
    }

    @Test(arguments: [true, false]) func notABitIsLost(_ isBase64: Bool) throws {
        var random = SeededGenerator(seed: 15)
        let vectors = (0..<20).map { _ in
            (0..<33).map { _ in
                let number = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
                return number.isFinite ? number : -0.0
            }
        }
        let value = try json(body(vectors, isBase64: isBase64))
        let read = try OpenAIReply.embeddings(value, count: 20, dimensions: 33, requestID: nil)
        let bits = read.embeddings?.map { $0.map(\.bitPattern) }
        // JSON has no negative zero that every reader keeps.
        let expected = vectors.map { $0.map { isBase64 || $0 != 0 ? $0.bitPattern : 0 } }
        #expect(isBase64 ? bits == expected : bits?.map { $0.map { $0 == 0x8000_0000 ? 0 : $0 } } == expected)
    }
}
