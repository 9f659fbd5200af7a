import ArgumentParser
import Settings

/// One of a few words on the command line.
enum ChoiceOption {
    /// For an option's `transform`.
    ///
    /// - Throws: `ValidationError`, with the words that there are.
    static func parse<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Choice {
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let hint = Suggestion.nearest(to: text, in: words).map { "did you mean \(InvalidText.quoted($0))?" }
        throw ValidationError("unknown \(InvalidText.quoted(text)) (\(hint ?? words.joined(separator: ", ")))")
    }
}
