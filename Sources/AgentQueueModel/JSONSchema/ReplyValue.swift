/// The JSON value in a reply that was asked for JSON.
///
/// Models put more into their text than was asked: the thinking of those that think aloud, a code fence, a sentence before and after it.
/// All of it may stand around the value, as long as there is no doubt which value is meant. This is the only reader of such texts: what it
/// finds is checked against the job's schema, used by later steps of a pipeline, and shown as the job's output.
package struct ReplyValue: Sendable, Equatable {
    /// The value.
    package let json: JSONValue
    /// The value as the model wrote it.
    package let text: String
    /// Whether the reply has more than the value, blanks, and a code fence around it.
    package let hasMore: Bool

    /// Finds the value in a reply.
    /// - Throws: `ReplyValueError` if there is none, or more than one.
    package init(in reply: String) throws(ReplyValueError) {
        let whole = Self.trimmed(reply.hasPrefix("\u{FEFF}") ? reply.dropFirst() : reply[...])
        let bare = Self.withoutFence(whole)
        guard !bare.isEmpty else { throw ReplyValueError("is empty") }
        let first: JSONError
        do {
            (json, text, hasMore) = (try JSONValue.parse(String(bare)), String(bare), false)
            return
        } catch {
            first = error
        }
        guard let found = try Self.value(inside: whole) else { throw ReplyValueError("is \(first.description)") }
        (json, text, hasMore) = (found.json, String(found.text), true)
    }

    private typealias Found = (json: JSONValue, text: Substring)

    /// The value after the thinking, or in the fenced block of a text; nil if there is none.
    private static func value(inside whole: Substring) throws(ReplyValueError) -> Found? {
        let said = try Thinking.removed(from: whole)
        for rest in said where rest != whole {
            let bare = withoutFence(trimmed(rest))
            // A failure means that there is prose; its fenced blocks are looked at next.
            if let json = try? JSONValue.parse(String(bare)) { return (json, bare) }
        }
        for rest in said {
            if let found = try valueOfBlocks(rest) { return found }
        }
        return nil
    }

    /// The one value that a text's fenced blocks hold. Blocks in another language do not count.
    private static func valueOfBlocks(_ text: Substring) throws(ReplyValueError) -> Found? {
        var found: Found?
        for block in FencedBlock.all(in: text) {
            let content = trimmed(block.content)
            let json: JSONValue
            do {
                json = try JSONValue.parse(String(content))
            } catch {
                guard block.isMarkedJSON else { continue }
                throw ReplyValueError("holds a JSON block that is \(error.description)")
            }
            guard let earlier = found else {
                found = (json, content)
                continue
            }
            guard earlier.json.isEqual(to: json) else { throw ReplyValueError("holds several blocks with different JSON") }
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> Substring {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }), let last = text.lastIndex(where: { !$0.isWhitespace }) else {
            return ""
        }
        return text[first...last]
    }

    private static func withoutFence(_ whole: Substring) -> Substring {
        guard whole.utf8.count >= 6, whole.hasPrefix("```"), whole.hasSuffix("```") else { return whole }
        let inner = whole.dropFirst(3).dropLast(3)
        // The language's name stands behind the fence, on its line.
        guard let end = inner.firstIndex(where: \.isNewline), inner[..<end].allSatisfy({ $0.isLetter || $0.isNumber || $0 == " " }) else {
            return whole
        }
        return trimmed(inner[end...])
    }
}

/// Why a reply holds no JSON value, or no certain one.
package struct ReplyValueError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, to be read after "the answer": `is empty`.
    let problem: String

    init(_ problem: String) {
        self.problem = problem
    }

    /// The whole sentence, without a full stop. It quotes no part of the reply but names of members.
    package var description: String { "the answer \(ShownJSON.clean(problem, limit: 200))" }
}

/// Thinking that a model writes into its answer, for lack of a place of its own.
private enum Thinking {
    /// The marks of the models that are in use: most; Claude and its like; Gemma; Seed-OSS; Magistral; Kimi; and the channels of gpt-oss.
    private static let marks: [(start: String, end: String)] = [
        ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>"), ("<thought>", "</thought>"),
        ("<seed:think>", "</seed:think>"), ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
        ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ]

    /// What may be left of a text without its thinking; the text itself if it shows none. The first mark may be missing, because a chat
    /// template often writes it. Thinking ends at its first closing mark, but may speak of one, so what follows the last comes second.
    static func removed(from text: Substring) throws(ReplyValueError) -> [Substring] {
        for mark in marks {
            guard let first = text.firstRange(of: mark.end) else {
                guard !text.hasPrefix(mark.start) else { throw ReplyValueError("ends before the thinking in it does") }
                continue
            }
            var last = first
            while let next = text[last.upperBound...].firstRange(of: mark.end) { last = next }
            return first == last ? [text[first.upperBound...]] : [text[first.upperBound...], text[last.upperBound...]]
        }
        return [text]
    }
}

/// A block of Markdown between two fences.
private struct FencedBlock {
    /// Whether its fence says `json`.
    let isMarkedJSON: Bool
    let content: Substring

    /// The blocks of a text. One that is never closed does not count.
    static func all(in text: Substring) -> [FencedBlock] {
        var blocks: [FencedBlock] = []
        var open: (fence: Character, language: Substring, start: Substring.Index)?
        var start = text.startIndex
        while start < text.endIndex {
            let end = text[start...].firstIndex(where: \.isNewline) ?? text.endIndex
            let next = end < text.endIndex ? text.index(after: end) : end
            let line = text[start..<end]
            if let block = open {
                let fence = String(repeating: block.fence, count: 3)
                let kept = line.reversed().drop(while: \.isWhitespace)
                if kept.starts(with: fence) {
                    let closing = kept.drop(while: { $0 == block.fence }).startIndex.base
                    blocks.append(
                        FencedBlock(
                            isMarkedJSON: ["json", "jsonc", "json5"].contains(block.language.lowercased()),
                            content: text[block.start..<max(block.start, closing)]))
                    open = nil
                }
            } else {
                let bare = line.drop(while: \.isWhitespace)
                if let fence = bare.first, fence == "`" || fence == "~", bare.hasPrefix(String(repeating: fence, count: 3)) {
                    let words = bare.drop(while: { $0 == fence }).split(whereSeparator: \.isWhitespace)
                    open = (fence, words.first ?? "", next)
                }
            }
            start = next
        }
        return blocks
    }
}

extension Job {
    /// The value of the answer to a request with a schema; nil without a schema, and without an answer.
    package var output: ReplyValue? {
        guard let text = result?.text, ModelRequest(kind: kind, target: target, body: request).schemaValue != nil else { return nil }
        // An answer with a schema was checked before it was stored, so this fails only for one that was damaged since.
        return try? ReplyValue(in: text)
    }
}
