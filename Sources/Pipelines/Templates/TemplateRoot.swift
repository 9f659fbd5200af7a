import JobModel
import Mustache

/// All that a template can name, by names with the mark before them that tells them from fields of data: see ``PromptTemplate``.
struct TemplateRoot: MustacheParent {
    let values: JSONValue
    let budget: RenderBudget

    func child(named name: String) -> Any? {
        guard name.hasPrefix(PromptTemplate.rootMark) else { return nil }
        return values[String(name.dropFirst(PromptTemplate.rootMark.count))].map { TemplateValue.wrapped($0, budget) }
    }
}
