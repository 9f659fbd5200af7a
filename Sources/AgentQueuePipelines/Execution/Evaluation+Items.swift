import AgentQueueModel

/// The items of a step with `foreach`.
extension Evaluation {
    func items(of foreach: ForeachPlan, at place: EvaluationContext, path: String) throws(Suspension) -> [JSONValue] {
        let value = try values([foreach.reference], at: place).value(at: foreach.reference.path)
        let items: [JSONValue]
        switch foreach.way {
        case .elements:
            // The output of a skipped step has no elements.
            guard let elements = value.isNull ? [] : value.array else {
                throw .failed("\(path) failed: what it is to be made for is \(value.kindName), not a list")
            }
            items = elements
        case .split(let size, let overlap):
            let size = number(size, in: Foreach.sizes)
            let overlap = min(number(overlap, in: 0...Foreach.sizes.upperBound), size / 2)
            items = texts(of: value).flatMap { TextPieces.split($0, size: size, overlap: overlap, most: Foreach.maxItems + 1) }
                .map(JSONValue.string)
        case .join(let size):
            items = TextPieces.joined(texts(of: value), size: number(size, in: Foreach.sizes)).map(JSONValue.string)
        }
        guard items.count <= Foreach.maxItems else {
            throw .failed("\(path) failed: more than \(Foreach.maxItems) items (split its list over several runs)")
        }
        return items
    }

    /// A text, or the texts of a list. Other values become JSON, and null is left out.
    private func texts(of value: JSONValue) -> [String] {
        (value.array ?? [value]).compactMap { $0.isNull ? nil : $0.string ?? $0.text }
    }
}

/// Splits long texts and joins short ones. Sizes are in characters.
enum TextPieces {
    /// Splits a text into pieces of at most `size`. Each is cut in its second half at the end of a paragraph, or else of a line, a sentence
    /// or a word. Each piece but the first begins with the last `overlap` characters of the previous one.
    /// - Parameters:
    ///   - overlap: at most half of `size`.
    ///   - most: how many pieces are needed. No more are made.
    static func split(_ text: String, size: Int, overlap: Int, most: Int) -> [String] {
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        var pieces: [String] = []
        var start = text.startIndex
        while start < text.endIndex, pieces.count < most {
            guard let limit = text.index(start, offsetBy: size, limitedBy: text.endIndex), limit < text.endIndex else {
                pieces.append(String(text[start...]))
                break
            }
            let end = cut(text, from: text.index(start, offsetBy: size / 2 + 1), to: limit)
            pieces.append(String(text[start..<end]))
            start = text.index(end, offsetBy: -overlap)
        }
        return pieces.filter { $0.contains { !$0.isWhitespace } }
    }

    /// Where to cut between two places.
    private static func cut(_ text: String, from first: String.Index, to limit: String.Index) -> String.Index {
        var (paragraph, line, sentence, word): (String.Index?, String.Index?, String.Index?, String.Index?)
        var place = first
        var before = text[text.index(before: first)]
        while place < limit {
            let next = text.index(after: place)
            let character = text[place]
            if character.isNewline {
                if before.isNewline { paragraph = next }
                line = next
            } else if character.isWhitespace {
                if ".!?。！？".contains(before) { sentence = next }
                word = next
            }
            before = character
            place = next
        }
        return paragraph ?? line ?? sentence ?? word ?? limit
    }

    /// Joins texts with blank lines between them, up to `size`. A longer text stays alone.
    static func joined(_ texts: [String], size: Int) -> [String] {
        var joined: [String] = []
        var left = 0
        for text in texts {
            let count = text.count
            if !joined.isEmpty, count + 2 <= left {
                joined[joined.count - 1] += "\n\n" + text
                left -= count + 2
            } else {
                joined.append(text)
                left = size - count
            }
        }
        return joined
    }
}
