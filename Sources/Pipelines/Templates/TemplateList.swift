import JobModel
import Mustache

/// A list with elements, as a template sees it.
struct TemplateList: MustacheSequence, MustacheParent, MustacheCustomRenderable {
    let elements: [JSONValue]
    let budget: RenderBudget
    /// Its place in the list that a section goes through, from 1; nil for all others.
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

    /// An element by its place, from 0.
    func child(named name: String) -> Any? {
        if name == PromptTemplate.position { return TemplateValue.child(position: position, budget) }
        guard let place = Int(name), elements.indices.contains(place) else { return nil }
        return TemplateValue.wrapped(elements[place], budget)
    }

    var renderText: String { TemplateValue(value: .array(elements), budget: budget).renderText }
    var isNull: Bool { false }
}
