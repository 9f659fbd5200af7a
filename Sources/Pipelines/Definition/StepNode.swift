/// A step as it is drawn.
public struct StepNode: Sendable, Equatable {
    /// Its name: the first part of the paths of its calls, after that of its group.
    public var name: String
    /// Its role; nil for a group.
    public var role: String?
    /// The steps beside it that it waits for: those it names, and those whose outputs it uses.
    public var needs: [String]
    /// What it does besides a single call, in a few words: `for each of plan.parts`, `3 samples, vote`, `up to 5 times`; nil otherwise.
    public var manner: String?
    /// Its condition, as it is written.
    public var condition: String?
    /// The steps of a group.
    public var children: [StepNode]

    /// Makes a node.
    public init(name: String, role: String?, needs: [String], manner: String? = nil, condition: String? = nil, children: [StepNode] = []) {
        self.name = name
        self.role = role
        self.needs = needs
        self.manner = manner
        self.condition = condition
        self.children = children
    }
}
