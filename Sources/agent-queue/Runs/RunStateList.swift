import ArgumentParser
import JobModel
import Settings

/// The value of `runs --state`: one state or several.
struct RunStateList {
    let states: [RunState]

    /// - Throws: `ValidationError` that says which state may have been meant.
    init(argument: String) throws {
        states = try argument.split(separator: ",", omittingEmptySubsequences: false).map { try ChoiceOption.parse(String($0)) }
    }
}
