extension PatternParser {
    /// Parses what follows a backslash outside a class.
    mutating func escape(from start: Int) throws(PatternError) -> PatternNode {
        switch peek.flatMap(Unicode.Scalar.init) {
        case "b":
            position += 1
            return .boundary(isInside: false)
        case "B":
            position += 1
            return .boundary(isInside: true)
        case "k": throw PatternError("backreferences are not supported", at: start)
        case let digit? where ("1"..."9").contains(digit): throw PatternError("backreferences are not supported", at: start)
        default:
            if let set = try escapedSet(from: start) { return .set(set) }
            return .scalar(try escapedScalar(from: start))
        }
    }

    /// Parses `\d` and similar escapes; nil, consuming nothing, if the escape is a single character.
    private mutating func escapedSet(from start: Int) throws(PatternError) -> PatternSet? {
        let set: PatternSet
        switch peek.flatMap(Unicode.Scalar.init) {
        case "d": set = .digits
        case "D": set = PatternSet.digits.complement
        case "w": set = .wordCharacters
        case "W": set = PatternSet.wordCharacters.complement
        case "s": set = .blanks
        case "S": set = PatternSet.blanks.complement
        case "p": return try property(isNegated: false, from: start)
        case "P": return try property(isNegated: true, from: start)
        default: return nil
        }
        position += 1
        return set
    }

    private mutating func property(isNegated: Bool, from start: Int) throws(PatternError) -> PatternSet {
        position += 1
        guard take("{"), let end = text[position...].firstIndex(of: 0x7D) else {
            throw PatternError("\\p needs a name in '{}'", at: start)
        }
        let name = String(String.UnicodeScalarView(text[position..<end].compactMap(Unicode.Scalar.init)))
        position = end + 1
        let plain: PatternSet
        switch name {
        case "Any": plain = PatternSet(ranges: [0...PatternSet.lastScalar])
        case "ASCII": plain = PatternSet(ranges: [0...0x7F])
        default:
            guard let categories = PatternSet.category(name) else {
                throw PatternError("of \\p, only the general categories (such as \\p{L}), \\p{Any} and \\p{ASCII} are supported", at: start)
            }
            return isNegated ? PatternSet(missingCategories: [categories]) : PatternSet(categories: categories)
        }
        return isNegated ? plain.complement : plain
    }

    private mutating func escapedScalar(from start: Int) throws(PatternError) -> UInt32 {
        guard let next = peek, let scalar = Unicode.Scalar(next) else { throw PatternError("a backslash at the end", at: start) }
        position += 1
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let digit = peek, (0x30...0x39).contains(digit) { throw PatternError("octal escapes are not supported", at: start) }
            return 0
        case "c":
            guard let letter = peek, (0x41...0x5A).contains(letter) || (0x61...0x7A).contains(letter) else {
                throw PatternError("\\c needs a letter", at: start)
            }
            position += 1
            return letter & 0x1F
        case "x": return try hexadecimal(2, from: start)
        case "u": return try codePoint(from: start)
        default:
            guard !(scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))) else {
                // Python's anchors.
                let hint = scalar == "A" ? "; use '^'" : scalar == "Z" || scalar == "z" ? "; use '$'" : ""
                throw PatternError("the escape '\\\(scalar)' is not one of ECMA-262\(hint)", at: start)
            }
            return next
        }
    }

    private mutating func hexadecimal(_ digits: Int, from start: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let next = peek, let digit = Unicode.Scalar(next).flatMap({ Character($0).hexDigitValue }), next < 0x80 else {
                throw PatternError("an escape needs \(digits) hexadecimal digits", at: start)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private mutating func codePoint(from start: Int) throws(PatternError) -> UInt32 {
        if take("{") {
            var value: UInt32 = 0
            let first = position
            while peek != 0x7D {
                value = value << 4 | (try hexadecimal(1, from: start))
                guard value <= PatternSet.lastScalar else { throw PatternError("there is no such code point", at: start) }
            }
            guard position > first else { throw PatternError("there is no such code point", at: start) }
            position += 1
            return value
        }
        let unit = try hexadecimal(4, from: start)
        guard (0xD800..<0xDC00).contains(unit), position + 1 < text.count, text[position] == 0x5C, text[position + 1] == 0x75 else {
            return unit
        }
        position += 2
        let second = try hexadecimal(4, from: start)
        guard (0xDC00..<0xE000).contains(second) else { throw PatternError("half a surrogate pair", at: start) }
        return 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00)
    }

    /// Parses what is between `[` and `]`.
    mutating func characterClass(from start: Int) throws(PatternError) -> PatternSet {
        var result = PatternSet()
        result.isNegated = take("^")
        while let next = peek {
            if next == 0x5D {
                position += 1
                return result
            }
            let first = try classMember()
            guard peek == 0x2D, position + 1 < text.count, text[position + 1] != 0x5D, first.isSingle else {
                result.formUnion(first)
                continue
            }
            let dash = position
            position += 1
            let last = try classMember()
            guard let low = first.single, let high = last.single else {
                // In [a-\d], the hyphen is literal.
                result.formUnion(first)
                result.formUnion(last)
                result.ranges.append(0x2D...0x2D)
                continue
            }
            guard low <= high else { throw PatternError("a range out of order", at: dash) }
            result.ranges.append(low...high)
        }
        throw PatternError("'[' without its ']'", at: start)
    }

    private mutating func classMember() throws(PatternError) -> PatternSet {
        let start = position
        guard let next = peek else { throw PatternError("'[' without its ']'", at: start) }
        position += 1
        guard next == 0x5C else { return PatternSet(ranges: [next...next]) }
        if let set = try escapedSet(from: start) { return set }
        if take("b") { return PatternSet(ranges: [0x08...0x08]) }
        let scalar = try escapedScalar(from: start)
        return PatternSet(ranges: [scalar...scalar])
    }
}

extension PatternSet {
    /// The only code point in the set; nil if there are several.
    fileprivate var single: UInt32? {
        guard ranges.count == 1, categories.isEmpty, missingCategories.isEmpty, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }

    fileprivate var isSingle: Bool { single != nil }
}
