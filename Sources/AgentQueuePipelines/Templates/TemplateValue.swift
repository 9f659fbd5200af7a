import AgentQueueModel
import Mustache

/// A value as a template sees it: never a template itself, and never inspected by reflection.
struct TemplateValue: MustacheParent, MustacheCustomRenderable {
    let value: JSONValue
    let budget: RenderBudget
    /// Its number in the list that a section repeats for, from 1; nil for other values.
    var position: Int?

    /// To the library only a list with elements is a list.
    static func wrapped(_ value: JSONValue, _ budget: RenderBudget, position: Int? = nil) -> Any {
        if let elements = value.array, !elements.isEmpty { return TemplateList(elements: elements, budget: budget, position: position) }
        return TemplateValue(value: value, budget: budget, position: position)
    }

    /// What the library gets for a value.
    static func child(position: Int?, _ budget: RenderBudget) -> Any? {
        position.map { TemplateValue(value: .integer(Int64($0)), budget: budget) }
    }

    func child(named name: String) -> Any? {
        if name == PromptTemplate.position { return Self.child(position: position, budget) }
        guard !name.hasPrefix(PromptTemplate.rootMark) else { return nil }
        return value[name].map { Self.wrapped($0, budget) }
    }

    /// Texts as they are, nothing for null, JSON for everything else.
    var renderText: String {
        guard !budget.isSpent else { return "" }
        let text = value.string ?? (value.isNull ? "" : value.text)
        return budget.take(text.utf8.count) ? text : ""
    }

    /// Whether sections about it are left out.
    var isNull: Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        default: false
        }
    }
}

/// A list with elements as a template sees it.
struct TemplateList: MustacheSequence, MustacheParent, MustacheCustomRenderable {
    let elements: [JSONValue]
    let budget: RenderBudget
    /// Its number in the list that a section repeats for, from 1; nil for other values.
    var position: Int?

    struct Iterator: IteratorProtocol {
        var rest: ArraySlice<JSONValue>
        let budget: RenderBudget
        var position = 0

        mutating func next() -> Any? {
            guard budget.takeRound() else { return nil }
            position += 1
            return rest.popFirst().map { TemplateValue.wrapped($0, budget, position: position) }
        }
    }

    func makeIterator() -> Iterator { Iterator(rest: elements[...], budget: budget) }

    /// An element by its index, from 0.
    func child(named name: String) -> Any? {
        if name == PromptTemplate.position { return TemplateValue.child(position: position, budget) }
        guard let place = Int(name), elements.indices.contains(place) else { return nil }
        return TemplateValue.wrapped(elements[place], budget)
    }

    var renderText: String { TemplateValue(value: .array(elements), budget: budget).renderText }
    var isNull: Bool { false }
}

/// Everything that a template can name, by marked names, which distinguish it from fields of data: see ``PromptTemplate``.
struct TemplateRoot: MustacheParent {
    let values: JSONValue
    let budget: RenderBudget

    func child(named name: String) -> Any? {
        if name == PromptTemplate.brace { return TemplateValue(value: "{", budget: budget) }
        guard name.hasPrefix(PromptTemplate.rootMark) else { return nil }
        return values[String(name.dropFirst(PromptTemplate.rootMark.count))].map { TemplateValue.wrapped($0, budget) }
    }
}
