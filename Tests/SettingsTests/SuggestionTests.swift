import Settings
import Testing

@Suite struct SuggestionTests {
    static let states = ["pending", "scheduled", "available", "running", "retryable", "completed", "cancelled", "discarded"]

    @Test(arguments: [
        ("runing", "running"), ("canceled", "cancelled"), ("Completed", "completed"), ("avialable", "available"),
        ("retyrable", "retryable"),
    ])
    func findsTheNearest(_ name: String, _ expected: String) {
        #expect(Suggestion.nearest(to: name, in: Self.states) == expected)
    }

    @Test(arguments: ["", "zzz", "done", "x", String(repeating: "a", count: 5000)])
    func staysSilentWhenNothingIsNear(_ name: String) {
        #expect(Suggestion.nearest(to: name, in: Self.states) == nil)
        #expect(Suggestion.hint(for: name, in: Self.states).isEmpty)
    }

    @Test func hintsInTheWordsOfAMessage() {
        #expect(Suggestion.hint(for: "runing", in: Self.states) == " (did you mean 'running'?)")
    }
}
