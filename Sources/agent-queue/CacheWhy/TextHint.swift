/// What is often behind two texts that differ and were meant to be the same.
enum TextHint: String {
    case randomID = "looks like a random id"
    case time = "looks like a time"
    case whiteSpace = "only white space differs"
    case unicodeForm = "the same letters in another Unicode form"

    /// - Parameters:
    ///   - a: two texts that differ.
    ///   - position: the first character (Unicode scalar) at which they do.
    static func of(_ a: String, _ b: String, at position: Int) -> TextHint? {
        if a == b { return .unicodeForm }
        let (first, second) = (word(in: a, around: position), word(in: b, around: position))
        if isTime(first), isTime(second) { return .time }
        if isRandom(first), isRandom(second) { return .randomID }
        let isSame = a.unicodeScalars.lazy.filter { !$0.properties.isWhitespace }
            .elementsEqual(b.unicodeScalars.lazy.filter { !$0.properties.isWhitespace })
        return isSame ? .whiteSpace : nil
    }

    /// The longest word that a time or an id may be.
    private static let mostCharacters = 128

    /// What stands without a gap around a place: letters, digits and the marks that times and ids hold.
    private static func word(in text: String, around position: Int) -> String {
        let scalars = text.unicodeScalars
        let start = scalars.index(scalars.startIndex, offsetBy: min(position, scalars.count))
        let head = scalars[..<start].reversed().prefix(mostCharacters).prefix(while: isWordPart)
        let tail = scalars[start...].prefix(mostCharacters).prefix(while: isWordPart)
        var word = String.UnicodeScalarView(head.reversed())
        word.append(contentsOf: tail)
        return String(word)
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (isLetterOrDigit(scalar) || "-_:.+".unicodeScalars.contains(scalar))
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "a"..."z", "A"..."Z": true
        default: false
        }
    }

    /// A date, a time of day, both, or seconds or milliseconds since 1970 of our years.
    private static func isTime(_ word: String) -> Bool {
        let bare = word.trimmed(of: ".:-_+")
        if bare.wholeMatch(of: /\d{4}-\d\d-\d\d([T_]\d\d:\d\d(:\d\d([.]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?/) != nil { return true }
        if bare.wholeMatch(of: /\d{1,2}:\d\d(:\d\d([.]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?/) != nil { return true }
        return bare.wholeMatch(of: /1\d{9}([.]\d+|\d{3}|\d{6}|\d{9})?/) != nil
    }

    /// A UUID, or 16 and more letters and digits of which some are each.
    private static func isRandom(_ word: String) -> Bool {
        let bare = word.trimmed(of: ".:-_+")
        if bare.firstMatch(of: /[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/) != nil { return true }
        // A prefix names what it is an id of: `req_…`, `session-…`.
        let core = bare.unicodeScalars.split(whereSeparator: { !isLetterOrDigit($0) }).max { $0.count < $1.count } ?? [][...]
        return core.count >= 16 && core.contains { ("0"..."9").contains($0) } && core.contains { !("0"..."9").contains($0) }
    }
}

extension String {
    /// Without these marks at either end.
    fileprivate func trimmed(of marks: String) -> String {
        let isMark = { (scalar: Unicode.Scalar) in marks.unicodeScalars.contains(scalar) }
        let start = unicodeScalars.drop(while: isMark)
        return String(String.UnicodeScalarView(start.reversed().drop(while: isMark).reversed()))
    }
}
