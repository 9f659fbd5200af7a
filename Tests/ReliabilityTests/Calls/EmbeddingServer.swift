import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Synchronization

/// An embeddings server: each text has a vector that follows from it, a call may hold so many texts, and some texts are refused
/// together with the whole call that holds them.
final class EmbeddingServer: Sendable {
    /// One call that came.
    struct Call: Sendable {
        /// Its texts, in order.
        var texts: [String]
        /// 200, 400.
        var status: Int
        /// What it was charged for; 0 if it was refused.
        var tokens: Int
    }

    private let maxInputs: Int
    private let delay: Duration?
    private let refuses: @Sendable (String) -> Bool
    private let gate: @Sendable (_ number: Int) -> Gate?
    private let state = Mutex<[Call]>([])

    /// - Parameters:
    ///   - maxInputs: a call of more texts is refused.
    ///   - delay: how long an answer takes.
    ///   - refuses: texts that no call may hold.
    ///   - gate: what the answer to a call, numbered from 1, waits for instead.
    init(
        maxInputs: Int = 100, delay: Duration? = nil, refuses: @escaping @Sendable (String) -> Bool = { _ in false },
        gate: @escaping @Sendable (_ number: Int) -> Gate? = { _ in nil }
    ) {
        self.maxInputs = maxInputs
        self.delay = delay
        self.refuses = refuses
        self.gate = gate
    }

    /// What came so far.
    var calls: [Call] { state.withLock(\.self) }

    var script: Script { Script { [self] in answer($0) } }

    /// The vector of a text: 8 numbers that another text does not have, of length 1.
    static func vector(of text: String) -> [Float] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let numbers = (0..<8).map { position in
            for byte in text.utf8 + [UInt8(position)] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            return Float(hash >> 40) / Float(1 << 24) - 0.5
        }
        let length = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return numbers.map { $0 / length }
    }

    /// What a text is charged for.
    static func tokens(of text: String) -> Int { text.utf8.count / 4 + 1 }

    private func answer(_ request: RecordedRequest) -> ScriptedAnswer {
        guard request.path == "/v1/embeddings", let body = try? JSONValue.parse(request.body) else {
            return .failing(404, "not_found", "there is only /v1/embeddings")
        }
        let texts = body["input"]?.string.map { [$0] } ?? (body["input"]?.array ?? []).map { $0.string ?? "" }
        let refusal: String? =
            if texts.isEmpty {
                "input is empty"
            } else if texts.count > maxInputs {
                "\(texts.count) inputs are more than \(maxInputs)"
            } else if texts.contains(where: refuses) {
                "an input is not acceptable"
            } else {
                nil
            }
        let tokens = refusal == nil ? texts.reduce(0) { $0 + Self.tokens(of: $1) } : 0
        let number = state.withLock { calls in
            calls.append(Call(texts: texts, status: refusal == nil ? 200 : 400, tokens: tokens))
            return calls.count
        }
        if let refusal { return .failing(400, "invalid_request_error", refusal) }
        let isBase64 = body["encoding_format"]?.string == "base64"
        let data = texts.enumerated().map { place, text -> JSONValue in
            ["object": "embedding", "index": .integer(Int64(place)), "embedding": Self.encoded(Self.vector(of: text), isBase64)]
        }
        // Shuffled: it is the index that tells whose vector is whose.
        let reply: JSONValue = [
            "object": "list", "model": "m", "data": .array(data.shuffled()),
            "usage": ["prompt_tokens": .integer(Int64(tokens)), "total_tokens": .integer(Int64(tokens))],
        ]
        return ScriptedAnswer(json: reply.text, after: gate(number) ?? delay.map { .opening(after: $0) })
    }

    private static func encoded(_ vector: [Float], _ isBase64: Bool) -> JSONValue {
        guard isBase64 else { return .array(vector.map { .double(Double($0)) }) }
        let bytes = vector.flatMap { number in withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) } }
        return .string(Data(bytes).base64EncodedString())
    }
}

extension Gate {
    /// A gate that opens after a time.
    static func opening(after delay: Duration) -> Gate {
        let gate = Gate()
        Task {
            try await Task.sleep(for: delay)
            gate.open()
        }
        return gate
    }
}
