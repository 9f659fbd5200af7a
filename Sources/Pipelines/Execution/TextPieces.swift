/// Long texts in pieces, and short ones together. Sizes are in characters.
enum TextPieces {
    /// Cuts a text into pieces of `size` at most, in their second halves at the end of a paragraph if there is one, or else of a line, a
    /// sentence or a word. Each piece but the first begins with the last `overlap` of the one before.
    /// - Parameters:
    ///   - overlap: at most half of `size`.
    ///   - most: how many pieces are wanted; none are made beyond.
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

    /// Puts texts together as long as they have no more than `size`, a blank line between them. One that is longer stays alone.
    static func joined(_ texts: [String], size: Int) -> [String] {
        var joined: [String] = []
        var room = 0
        for text in texts {
            let count = text.count
            if !joined.isEmpty, count + 2 <= room {
                joined[joined.count - 1] += "\n\n" + text
                room -= count + 2
            } else {
                joined.append(text)
                room = size - count
            }
        }
        return joined
    }
}
