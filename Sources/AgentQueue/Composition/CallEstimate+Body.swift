import Glibc
import JobModel
import ModelCalls
import QueueStore

extension CallEstimate {
    /// What a call will use, guessed from its canonical request, whose keys are sorted: so the bound of the answer stands before the
    /// messages, and is found without reading them.
    ///
    /// Tokens sent are taken to be a quarter of the bytes, as in English text. Money must not be guessed: there every byte counts as a
    /// token, which no tokenizer exceeds.
    /// - Parameters:
    ///   - bound: what bounds the answer where the request says nothing; nil where nothing does.
    ///   - price: nil costs nothing.
    ///   - isThroughProgram: whether Claude Code makes the call, which adds words of its own, and a larger bound.
    init(kind: JobKind, body: String, bound: Int?, price: ModelPrice?, isThroughProgram: Bool = false) {
        let recalled = kind == .generate && Self.recalls(body) ? MemoryUse.mostBytes : 0
        let bytes = body.utf8.count + recalled + (isThroughProgram ? Self.programBytes : 0)
        let said = Self.answerBound(in: body) ?? bound
        let written = kind == .generate ? said ?? (isThroughProgram ? Self.programBound : Self.assumedBound) : 0
        // What goes into a prompt cache is dearer than what does not.
        let worst = price.map { price in
            (Double(bytes) * max(price.input, price.cacheWrite) + Double(written) * price.output) / 1_000_000
        }
        self.init(
            inputTokens: bytes / 4 + 1, outputTokens: kind == .generate ? said ?? Self.usualAnswer : 0, worstCost: worst ?? 0)
    }

    /// What an answer is taken to be at most, in tokens, where neither its job nor the configuration says.
    static let assumedBound = 4_096
    /// What Claude Code bounds an answer to by itself, in tokens, and what it adds to a request, in bytes: measured with 2.1.330.
    static let programBound = 32_000
    static let programBytes = 2_500
    /// What an answer is taken to be for a limit of tokens a minute, where nothing bounds it: it is corrected by the answer.
    static let usualAnswer = 512

    /// Whether memories are put into a request before it is sent. Perhaps only a text in it says so, which costs nothing but caution.
    static func recalls(_ body: String) -> Bool { body.withCString { strstr($0, "\"recall\":{") != nil } }

    /// `max_tokens` or `max_completion_tokens` of a canonical body; nil where it has neither.
    static func answerBound(in body: String) -> Int? {
        let head = body.utf8.prefix { _ in true }
        let end = head.firstRange(of: "\"messages\":".utf8)?.lowerBound ?? head.endIndex
        var bound: Int?
        for key in ["\"max_completion_tokens\":", "\"max_tokens\":"] {
            guard let range = head[..<end].ranges(of: key.utf8).last else { continue }
            let digits = head[range.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            bound = Int(String(decoding: digits, as: UTF8.self)) ?? bound
        }
        return bound
    }
}
