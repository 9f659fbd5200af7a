import AgentQueueModel
import AgentQueueSettings

/// Splits a template into text and tags. Only tags that our templates may have pass, so that the library parses nothing else.
struct TemplateScanner {
    /// A part of a template.
    enum Part: Equatable {
        /// Text that stays as it is.
        case text(Substring)
        /// A comment.
        case comment(Substring)
        /// Text in quotes in a tag, `{{'{{'}}`: it may hold what would otherwise be a tag.
        case literal(Substring)
        case tag(TemplateTag)
    }

    private var rest: Substring
    private var line = 1

    private init(_ source: String) {
        rest = source[...]
    }

    /// The parts of a template, without tags that cannot be read.
    /// - Parameter faults: gets what is wrong with those.
    static func parts(of source: String, faults: inout [TemplateFault]) -> [Part] {
        var scanner = TemplateScanner(source)
        var parts: [Part] = []
        while let start = scanner.rest.firstRange(of: "{{") {
            let text = scanner.take(to: start.lowerBound)
            if !text.isEmpty { parts.append(.text(text)) }
            let before = scanner.rest.startIndex
            do {
                parts.append(try scanner.tag())
            } catch {
                faults.append(error)
                // A tag without an end is the last one.
                guard scanner.rest.startIndex > before else { return parts }
            }
        }
        if !scanner.rest.isEmpty { parts.append(.text(scanner.rest)) }
        return parts
    }

    private mutating func take(to end: Substring.Index) -> Substring {
        let taken = rest[..<end]
        line += taken.utf8.count { $0 == UInt8(ascii: "\n") }
        rest = rest[end...]
        return taken
    }

    /// Reads the tag that begins here.
    private mutating func tag() throws(TemplateFault) -> Part {
        let line = line
        if let literal = try literal() { return literal }
        let isTriple = rest.hasPrefix("{{{")
        let ending = isTriple ? "}}}" : "}}"
        guard let end = rest.firstRange(of: ending) else {
            throw TemplateFault(message: "a tag that begins with {{ has no \(ending)", line: line)
        }
        let whole = take(to: end.upperBound)
        let inner = whole.dropFirst(ending.count).dropLast(ending.count)
        guard !isTriple, let sign = inner.first else { return .tag(try tag(.variable, inner, line)) }
        switch sign {
        case "!": return .comment(whole)
        case "#": return .tag(try tag(.section, inner.dropFirst(), line))
        case "^": return .tag(try tag(.inverted, inner.dropFirst(), line))
        case "/": return .tag(try tag(.close, inner.dropFirst(), line))
        case "&": return .tag(try tag(.variable, inner.dropFirst(), line))
        case ">", "<", "$":
            throw TemplateFault(message: "{{\(sign)…}} is not for templates of pipelines: they have no parts of files", line: line)
        case "=": throw TemplateFault(message: "{{=…=}} is not for templates of pipelines: tags are always {{…}}", line: line)
        case "%": throw TemplateFault(message: "{{%…}} is not for templates of pipelines: they are always plain text", line: line)
        default: return .tag(try tag(.variable, inner, line))
        }
    }

    /// Reads a text in quotes, if that is what begins here. It ends with its quote and `}}`, so it may hold both by themselves.
    private mutating func literal() throws(TemplateFault) -> Part? {
        let inner = rest.dropFirst(2).drop { $0.isWhitespace }
        guard let quote = inner.first, quote == "'" || quote == "\"" else { return nil }
        var place = inner.index(after: inner.startIndex)
        let start = place
        while let end = inner[place...].firstIndex(of: quote) {
            place = inner.index(after: end)
            let after = inner[place...].drop { $0.isWhitespace }
            guard after.hasPrefix("}}") else { continue }
            _ = take(to: after.index(after.startIndex, offsetBy: 2))
            return .literal(inner[start..<end])
        }
        throw TemplateFault(message: "a text in quotes that begins with {{\(quote) has no \(quote)}}", line: line)
    }

    private func tag(_ kind: TemplateTag.Kind, _ inner: Substring, _ line: Int) throws(TemplateFault) -> TemplateTag {
        let name = inner.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        let text = String(name)
        guard Self.isName(text) else {
            guard !text.isEmpty else { throw TemplateFault(message: "a tag names nothing", line: line) }
            let problem = text.contains("(") ? "is a function, and templates have none" : "is not a name (write a path such as plan.parts)"
            throw TemplateFault(message: "\(InvalidText.quoted(text)) \(problem)", line: line)
        }
        return TemplateTag(kind: kind, name: text, line: line)
    }

    /// `.`, `.a.b` or `a.b`: the library knows all of these, and nothing else is passed to it.
    private static func isName(_ text: String) -> Bool {
        if text == "." { return true }
        let path = text.hasPrefix(".") ? text.dropFirst() : text[...]
        return path.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy(NameText.isPart)
        }
    }
}

/// A tag of a template.
struct TemplateTag: Equatable {
    /// Its kind.
    enum Kind: Equatable {
        /// `{{name}}`
        case variable
        /// `{{#name}}`
        case section
        /// `{{^name}}`
        case inverted
        /// `{{/name}}`
        case close
    }

    var kind: Kind
    /// Its name as written: `.`, `.field`, or a path.
    var name: String
    /// From 1.
    var line: Int
}

/// Why a text is not a usable template.
struct TemplateFault: Error, Equatable {
    /// What is wrong, in a sentence.
    var message: String
    /// The line of the template, from 1.
    var line: Int
}
