import JobModel
import QueueStore
import Settings

/// A schedule as people name it: by its number or its name.
enum ScheduleReference {
    /// Whether a schedule may have a name. One of digits alone would be a number.
    static func isName(_ name: String) -> Bool {
        (1...128).contains(name.unicodeScalars.count) && !name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// The schedules that are meant.
    /// - Throws: `CommandFailure` for one that is not there.
    static func find(_ references: [String], in store: QueueStore) throws -> [Schedule] {
        try references.map { reference in
            let found = try Int64(reference).flatMap { try store.schedule($0) } ?? store.schedule(named: reference)
            if let found { return found }
            let hint = Suggestion.hint(for: reference, in: try store.schedules().map(\.name))
            throw CommandFailure(.badInput, "there is no schedule \(InvalidText.quoted(reference))\(hint)")
        }
    }
}
