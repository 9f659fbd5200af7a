import JobModel

/// A schema, compiled: what is asked of one value. Schemas within it are named by their place in the list of all.
struct SchemaNode: Sendable {
    /// What a schema that is a truth value says to everything.
    var verdict: Bool?
    var types: SchemaTypes?
    /// `enum` and `const`: the value must be in each of the lists.
    var allowed: [AllowedValues] = []
    var number = NumberRule()
    var text = TextRule()
    var list = ListRule()
    var object = ObjectRule()
    /// Schemas for the same value.
    var inPlace: [InPlaceRule] = []
}
