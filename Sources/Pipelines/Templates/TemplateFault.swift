/// Why a text is not a template that can be used.
struct TemplateFault: Error, Equatable {
    /// What is wrong, in a sentence.
    var message: String
    /// The line of the template, from 1.
    var line: Int
}
