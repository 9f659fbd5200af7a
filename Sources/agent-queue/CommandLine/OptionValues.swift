import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// Option values that are one of a few words.
enum ChoiceOption {
    /// For an option's `transform`.
    ///
    /// - Throws: `ValidationError` that lists the words.
    static func parse<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Choice {
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let hint = Suggestion.nearest(to: text, in: words).map { "did you mean \(InvalidText.quoted($0))?" }
        throw ValidationError("unknown \(InvalidText.quoted(text)) (\(hint ?? words.joined(separator: ", ")))")
    }
}

/// Option values that are durations.
enum DurationOption {
    /// For an option's `transform`.
    ///
    /// - Throws: `ValidationError`.
    static func parse(_ text: String) throws -> Duration {
        do {
            return try DurationText.parse(text)
        } catch {
            throw ValidationError(error.message)
        }
    }
}

/// Option values that are times: `2026-12-01T09:00Z`, or an age.
enum TimeOption {
    /// For an option's `transform`: wall clock, ms.
    ///
    /// - Throws: `ValidationError`.
    static func parse(_ text: String) throws -> Int64 {
        do {
            if let ago = try? DurationText.parse(text) { return Now.milliseconds - ago.milliseconds }
            return try TimeText.parseRFC3339(text)
        } catch {
            throw ValidationError("\(error.message), nor a duration such as 1h")
        }
    }
}

/// Option values that are namespaces.
enum NamespaceOption {
    /// One name, for an option's `transform`.
    ///
    /// - Throws: `ValidationError`.
    static func parse(_ text: String) throws -> String {
        do {
            try NamespaceName.check(text)
        } catch {
            throw ValidationError(error.message)
        }
        return text
    }

    /// Several names between commas.
    ///
    /// - Throws: `ValidationError`.
    static func parseSeveral(_ text: String) throws -> NameList {
        NameList(names: try text.split(separator: ",", omittingEmptySubsequences: false).map { try parse(String($0)) })
    }

    /// The names of one option.
    struct NameList {
        var names: [String]
    }
}

/// The value of `--state`: one state or several. `failed` and the stored name, `discarded`, mean the same.
struct StateList {
    let states: [JobState]

    /// - Throws: `ValidationError` that suggests the state that was probably meant.
    init(argument: String) throws {
        states = try argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let state = JobState(displayName: String(name)) else {
                let names = JobState.allCases.map(\.displayName)
                let hint = Suggestion.nearest(to: String(name), in: names).map { "did you mean '\($0)'?" }
                throw ValidationError(
                    "unknown state \(InvalidText.quoted(String(name))) (\(hint ?? "use \(names.joined(separator: ", "))"))")
            }
            return state
        }
    }
}

/// The value of `runs --state`: one state or several.
struct RunStateList {
    let states: [RunState]

    /// - Throws: `ValidationError` that suggests the state that was probably meant.
    init(argument: String) throws {
        states = try argument.split(separator: ",", omittingEmptySubsequences: false).map { try ChoiceOption.parse(String($0)) }
    }
}
