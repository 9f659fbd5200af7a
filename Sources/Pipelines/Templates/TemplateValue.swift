import JobModel
import Mustache

/// A piece of data as a template sees it: never a template, never looked into by reflection.
struct TemplateValue: MustacheParent, MustacheCustomRenderable {
    let value: JSONValue
    let budget: RenderBudget

    /// A list with elements is one to the library; everything else is a value.
    static func wrapped(_ value: JSONValue, _ budget: RenderBudget) -> Any {
        if let elements = value.array, !elements.isEmpty { return TemplateList(elements: elements, budget: budget) }
        return TemplateValue(value: value, budget: budget)
    }

    func child(named name: String) -> Any? {
        guard !name.hasPrefix(PromptTemplate.rootMark) else { return nil }
        return value[name].map { Self.wrapped($0, budget) }
    }

    /// Texts as they are, nothing for null, everything else as JSON.
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
