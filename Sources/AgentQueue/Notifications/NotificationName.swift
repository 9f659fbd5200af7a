import JobModel
import Settings

/// The names by which ends are told.
public enum NotificationName {
    /// The most that are told of one end.
    static let most = 16

    /// Checks names that a user gave.
    /// - Throws: `InputError` for one that the configuration does not have.
    public static func check(_ names: [String], in context: IntakeContext) throws(InputError) {
        guard names.count <= most else { throw InputError("at most \(most) notifications can be told of one end", exit: .usage) }
        for name in names where !context.notificationNames.contains(name) {
            var help = Suggestion.hint(for: name, in: context.notificationNames)
            if help.isEmpty {
                let known = context.notificationNames.prefix(20).joined(separator: ", ")
                help = known.isEmpty ? " (the configuration has none)" : " (configured: \(known))"
            }
            throw InputError("unknown notification \(InvalidText.quoted(name))\(help)", exit: .usage)
        }
    }
}
