import AgentQueue
import ArgumentParser

/// Names of namespaces on the command line.
enum NamespaceOption {
    /// One name, for an option's `transform`.
    ///
    /// - Throws: `ValidationError`, with what is wrong.
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
    /// - Throws: `ValidationError`, with what is wrong.
    static func parseSeveral(_ text: String) throws -> NameList {
        NameList(names: try text.split(separator: ",", omittingEmptySubsequences: false).map { try parse(String($0)) })
    }

    /// The names of one option.
    struct NameList {
        var names: [String]
    }
}
