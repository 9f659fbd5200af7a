import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct EmbeddingCallTests {
    func plan(_ requests: [ModelRequest], maxInputs: Int = 2_048, maxTokens: Int? = nil, maxBytes: Int = 8 << 20) -> [[[Int]]] {
        let limits = ProviderCapabilities(maxEmbedInputs: maxInputs, maxEmbedTokens: maxTokens, maxEmbedBytes: maxBytes)
        return EmbeddingCall.plan(requests.enumerated().map { ($0.offset, $0.element) }, limits)
            .map { $0.pieces.map { [$0.request, $0.inputs.count] } }
    }

    @Test func requestsShareCallsUpToTheLimit() {
        #expect(plan([embedding("a"), embedding("b", "c"), embedding("d")], maxInputs: 10) == [[[0, 1], [1, 2], [2, 1]]])
        #expect(plan([embedding("a"), embedding("b", "c"), embedding("d")], maxInputs: 2) == [[[0, 1]], [[1, 2]], [[2, 1]]])
        #expect(plan([embedding("a", "b", "c", "d", "e")], maxInputs: 2) == [[[0, 2]], [[0, 2]], [[0, 1]]])
        #expect(plan([embedding()], maxInputs: 2) == [])
    }

    @Test func tokensAndBytesAreLimitedToo() {
        let thousand = String(repeating: "x", count: 999)
        let requests = [embedding(thousand, thousand), embedding(thousand), embedding("y")]
        // 500 tokens each, and 1,002 bytes.
        #expect(plan(requests, maxTokens: 10_000) == [[[0, 2], [1, 1], [2, 1]]])
        #expect(plan(requests, maxTokens: 1_500) == [[[0, 2], [1, 1]], [[2, 1]]])
        #expect(plan(requests, maxTokens: 1_499) == [[[0, 2]], [[1, 1], [2, 1]]])
        #expect(plan(requests, maxTokens: 600) == [[[0, 1]], [[0, 1]], [[1, 1], [2, 1]]])
        #expect(plan(requests, maxBytes: 2_004) == [[[0, 2]], [[1, 1], [2, 1]]])
        // Larger than any call: it has one to itself, and the server the last word.
        #expect(plan(requests, maxTokens: 1, maxBytes: 1) == [[[0, 1]], [[0, 1]], [[1, 1]], [[2, 1]]])
        let tokens = ModelRequest(kind: .embed, target: Target(provider: "p", model: "m"), body: ["input": [[7, 8], [9], [1_000]]])
        #expect(plan([tokens], maxTokens: 3) == [[[0, 2]], [[0, 1]]])
    }

    @Test func onlyEqualOptionsAndModelsShareACall() {
        let requests = [
            embedding("a"), embedding("b", options: ["dimensions": 8]), embedding("c", options: ["sample": 3]),
            embedding("d", options: ["dimensions": 8, "namespace": "n"], kind: .memorize), embedding("e", model: "other"),
        ]
        #expect(plan(requests, maxInputs: 10) == [[[0, 1], [2, 1]], [[1, 1], [3, 1]], [[4, 1]]])
    }

    @Test func theBodyHoldsWhatTheModelNeedsAndNoMore() {
        let request = embedding("a", options: ["sample": 1, "dimensions": 8, "encoding_format": "base64", "truncate": true])
        let body = EmbeddingCall.plan([(0, request)], ProviderCapabilities(maxEmbedInputs: 1))[0].body(.float)
        #expect(body.text == #"{"model":"m","input":["a"],"encoding_format":"float","dimensions":8,"truncate":true}"#)
    }

    @Test func textsAndTokensAreInputsToo() {
        func inputs(_ input: JSONValue) -> Int {
            EmbeddingCall.inputs(of: ModelRequest(kind: .embed, target: Target(provider: "p", model: "m"), body: ["input": input])).count
        }
        #expect(inputs("one text") == 1)
        #expect(inputs([1, 2, 3]) == 1)
        #expect(inputs([[1, 2], [3]]) == 2)
        #expect(inputs([]) == 0)
        #expect(inputs(.null) == 0)
    }

    @Test func sharesAddUpExactly() {
        for tokens in [0, 1, 7, 100, 1 << 40] {
            for weights in [[1], [1, 1, 1], [3, 0, 1_000_000], [5, 7, 11, 13], [1 << 34, 1]] {
                let shares = EmbeddingCall.shares(of: tokens, weights: weights)
                #expect(shares.reduce(0, +) == tokens)
                #expect(shares.allSatisfy { $0 >= 0 })
            }
        }
        #expect(EmbeddingCall.shares(of: 10, weights: [1, 4]) == [2, 8])
        #expect(EmbeddingCall.shares(of: 10, weights: []) == [])
    }
}
