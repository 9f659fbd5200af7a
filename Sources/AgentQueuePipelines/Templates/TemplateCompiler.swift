import AgentQueueModel
import AgentQueueSettings

/// Compiles a template: checks that every tag names something, and marks outermost names.
struct TemplateCompiler {
    /// An open section.
    private struct Section {
        var name: String
        var marked: String
        /// The shape of its context; nil if it has none of its own.
        var context: Shape?
        /// Whether it can be repeated.
        var isList = false
        /// Whether its elements are made by us and not data: the answers that a judge sees.
        var isOurs = false
    }

    private let names: Names
    private let findsForeignTags: Bool
    private var sections: [Section] = []
    private var marked = ""
    private var references: [Reference] = []
    private(set) var faults: [TemplateFault] = []

    /// - Parameter findsForeignTags: whether tags of other template languages are faults where they name a value.
    init(_ names: Names, findsForeignTags: Bool = false) {
        self.names = names
        self.findsForeignTags = findsForeignTags
    }

    /// The template; nil if there are ``faults``.
    mutating func template(_ source: String) -> PromptTemplate? {
        let parts = TemplateScanner.parts(of: source, faults: &faults)
        // Where a tag could not be read, nobody knows which sections are open: the rest is checked up to the first of them.
        let isComplete = faults.isEmpty
        if findsForeignTags { findForeignTags(in: parts) }
        do throws(TemplateFault) {
            for part in parts {
                if !isComplete, case .tag(let tag) = part, tag.kind != .variable { break }
                try add(part)
            }
            if isComplete, let open = sections.last {
                throw TemplateFault(message: "{{#\(open.name)}} has no {{/\(open.name)}}", line: max(1, source.count { $0.isNewline }))
            }
            guard faults.isEmpty else { return nil }
            return try finished(source, parts)
        } catch {
            faults.append(error)
            return nil
        }
    }

    private mutating func findForeignTags(in parts: [TemplateScanner.Part]) {
        let names = names
        let foreign = ForeignTags { names.shapes[$0] != nil }
        var line = 1
        for part in parts {
            switch part {
            case .text(let text):
                faults += foreign.tags(in: text).map { TemplateFault(message: $0.message, line: line + $0.linesBefore) }
                line += text.utf8.count { $0 == UInt8(ascii: "\n") }
            case .comment(let text), .literal(let text): line += text.utf8.count { $0 == UInt8(ascii: "\n") }
            case .tag(let tag): line = tag.line
            }
        }
    }

    private func finished(_ source: String, _ parts: [TemplateScanner.Part]) throws(TemplateFault) -> PromptTemplate {
        var solePath: [Expression.Step]?
        if parts.count == 1, case .tag(let tag) = parts[0], tag.kind == .variable { solePath = references.first?.path }
        do {
            return try PromptTemplate(source: source, marked: marked, references: references, solePath: solePath)
        } catch {
            throw TemplateFault(message: "cannot be read as a template", line: 1)
        }
    }

    private mutating func add(_ part: TemplateScanner.Part) throws(TemplateFault) {
        switch part {
        case .text(let text), .comment(let text): marked += text
        case .literal(let text): marked += text.replacing("{", with: "{{\(PromptTemplate.brace)}}")
        case .tag(let tag) where tag.kind == .close:
            guard let open = sections.popLast(), open.name == tag.name else {
                throw TemplateFault(message: "{{/\(tag.name)}} closes no section that is open here", line: tag.line)
            }
            marked += "{{/\(open.marked)}}"
        case .tag(let tag):
            let (name, shape) = resolved(tag)
            switch tag.kind {
            case .variable: marked += "{{\(name)}}"
            case .section, .inverted:
                let isSection = tag.kind == .section
                marked += "{{\(isSection ? "#" : "^")\(name)}}"
                var context: Shape?
                if isSection { if case .list(let element) = shape { context = element } else { context = shape } }
                let isList = isSection && (shape == .any || shape != context)
                sections.append(
                    Section(name: tag.name, marked: name, context: context, isList: isList, isOurs: isSection && tag.name == "answers"))
                guard sections.count <= PipelineLimits.maxSections else {
                    throw TemplateFault(message: "sections nest deeper than \(PipelineLimits.maxSections)", line: tag.line)
                }
            case .close: break
            }
        }
    }

    /// The name for the library, and the shape of its value.
    private mutating func resolved(_ tag: TemplateTag) -> (name: String, shape: Shape) {
        let contexts = sections.compactMap(\.context)
        do throws(InvalidText) {
            if tag.name.hasPrefix(".") {
                guard let context = contexts.last else {
                    throw InvalidText("{{\(tag.name)}} means something only in a section")
                }
                return (tag.name, try context.following(Self.path(tag.name), of: "."))
            }
            if tag.name == "position" {
                guard sections.contains(where: \.isList) else {
                    throw InvalidText("'position' is known only in a section that goes through a list")
                }
                return (PromptTemplate.position, .scalar)
            }
            let path = Self.path(tag.name)
            let root = Reference(path: path, line: tag.line)
            // A judge's answers have numbers too. In a section about them those are meant.
            if let section = sections.last, section.isOurs, case .object(let fields, _)? = section.context, fields[root.root] != nil {
                return ("." + tag.name, try section.context?.following(path, of: "answers") ?? .any)
            }
            if names.shapes[root.root] != nil {
                let shape = try names.shape(at: path)
                references.append(root)
                return (PromptTemplate.rootMark + tag.name, shape)
            }
            return (tag.name, try field(path, named: root.root, in: contexts))
        } catch {
            faults.append(TemplateFault(message: error.message, line: tag.line))
            return (tag.name, .any)
        }
    }

    /// A field of the innermost section whose data can have it.
    private func field(_ path: [Expression.Step], named name: String, in contexts: [Shape]) throws(InvalidText) -> Shape {
        for context in contexts.reversed() {
            switch context {
            case .any: return .any
            case .object(let fields, let isOpen) where isOpen || fields[name] != nil: return try context.following(path, of: "")
            default: continue
            }
        }
        guard let context = contexts.last, names.hidden[name] == nil, case .object = context else { throw names.unknown(name) }
        var known = names
        if case .object(let fields, _) = context { known.shapes.merge(fields) { one, _ in one } }
        throw known.unknown(name)
    }

    private static func path(_ name: String) -> [Expression.Step] { name.split(separator: ".").map { .member(String($0)) } }
}
