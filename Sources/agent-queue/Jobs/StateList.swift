import ArgumentParser
import JobModel
import Settings

/// The value of `--state`: one state or several.
struct StateList {
    let states: [JobState]

    /// - Throws: `ValidationError` that says which state may have been meant.
    init(argument: String) throws {
        states = try argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let state = JobState(rawValue: String(name)) else {
                let names = JobState.allCases.map(\.rawValue)
                let hint = Suggestion.nearest(to: String(name), in: names).map { "did you mean '\($0)'?" }
                throw ValidationError(
                    "unknown state \(InvalidText.quoted(String(name))) (\(hint ?? "there are \(names.joined(separator: ", "))"))")
            }
            return state
        }
    }
}
