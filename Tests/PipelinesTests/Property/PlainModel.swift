import JobModel

/// A model whose answers depend on the call's path alone.
struct PlainModel {
    var seed: UInt64
    /// Whether some of its calls fail, and some answers are not what was asked for.
    var isFaulty: Bool

    func answer(_ path: String, isJSON: Bool) -> StepEnd.Outcome {
        var hash: UInt64 = 14_695_981_039_346_656_037 ^ seed
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        hash ^= hash >> 29
        if isFaulty, hash % 11 == 0 { return .failed(message: "refused") }
        let number = hash / 11
        if path.hasSuffix("~judge") {
            return .completed(text: #"{"choice":\#(1 + number % 3),"confidence":0.\#(number % 9),"reason":"r"}"#)
        }
        guard isJSON else { return .completed(text: "t\(number % 3)") }
        if isFaulty, number % 17 == 0 { return .completed(text: "oops") }
        let list = (0..<(number / 6 % 4)).map { "\"e\($0)\"" }.joined(separator: ",")
        return .completed(text: #"{"n":\#(number % 6),"l":[\#(list)]}"#)
    }
}
