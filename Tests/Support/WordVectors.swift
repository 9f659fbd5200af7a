import Foundation
import Synchronization

/// An embeddings server for which texts are near that share words: each word has a direction, and a text goes where its words go.
/// Prefixes (`query: `, `passage: `) do not count.
package final class WordVectors: Sendable {
    private struct State {
        var calls: [[String]] = []
        var chats: [String] = []
        var refused: Set<String> = []
    }

    private let state = Mutex(State())
    /// How many values a vector has.
    package let dimension: Int

    /// Begins.
    package init(dimension: Int = 16) { self.dimension = dimension }

    /// The texts of each call, in the order of the calls.
    package var calls: [[String]] { state.withLock(\.calls) }
    /// All texts that came.
    package var texts: [String] { calls.flatMap(\.self) }

    /// The bodies of chat completions that came; each is answered by `it is so`.
    package var chats: [String] { state.withLock(\.chats) }

    /// Refuses every call that holds such a word, from now on; nil refuses none.
    package func refuse(_ word: String?) { state.withLock { $0.refused = word.map { [$0] } ?? [] } }

    /// What it answers.
    package var script: Script { Script { [self] in answer($0) } }

    /// The vector of a text, of length 1.
    package func vector(of text: String) -> [Float] {
        var sums = [Float](repeating: 0, count: dimension)
        for word in words(text) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            for place in sums.indices {
                hash = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9 &+ UInt64(place)
                sums[place] += Float(hash >> 40) / Float(1 << 24) - 0.5
            }
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sums.map { length > 0 ? $0 / length : 1 }
    }

    private func words(_ text: String) -> [String] {
        var text = text[...]
        for prefix in ["query: ", "passage: "] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
        return text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    private func answer(_ request: RecordedRequest) -> ScriptedAnswer {
        guard let body = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any] else {
            return ScriptedAnswer(400, json: #"{"error": {"message": "no JSON"}}"#)
        }
        if body["messages"] != nil {
            state.withLock { $0.chats.append(String(decoding: request.body, as: UTF8.self)) }
            return ScriptedAnswer(
                json: #"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "it is so"}, "finish_reason": "stop"}]}"#)
        }
        let texts = body["input"] as? [String] ?? [body["input"] as? String ?? ""]
        let isRefused = state.withLock { state in
            state.calls.append(texts)
            return texts.contains { !state.refused.isDisjoint(with: words($0)) }
        }
        if isRefused {
            return ScriptedAnswer(400, json: #"{"error": {"message": "a text is not acceptable", "type": "invalid_request_error"}}"#)
        }
        let data = texts.enumerated().map { index, text in
            let bytes = vector(of: text).flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
            let numbers = vector(of: text).map { "\($0)" }.joined(separator: ", ")
            let isBase64 = body["encoding_format"] as? String == "base64"
            let vector = isBase64 ? "\"\(Data(bytes).base64EncodedString())\"" : "[\(numbers)]"
            return #"{"object": "embedding", "index": \#(index), "embedding": \#(vector)}"#
        }
        let usage = #"{"prompt_tokens": \#(texts.count), "total_tokens": \#(texts.count)}"#
        return ScriptedAnswer(
            json: #"{"object": "list", "model": "m", "data": [\#(data.joined(separator: ", "))], "usage": \#(usage)}"#)
    }
}
