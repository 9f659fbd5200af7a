import JobModel
import QueueStore

/// What storing memories came to, and their numbers as they are printed.
struct MemoryReceipts {
    /// How many there were of each outcome.
    private(set) var stored = 0
    private(set) var updated = 0
    private(set) var duplicates = 0
    /// What is to be printed of each; nil prints nothing.
    let print: Form?
    private var output = Output()
    private var failure: (any Error)?

    /// How receipts are printed.
    enum Form {
        case numbers
        case json
    }

    init(_ print: Form?) { self.print = print }

    var total: Int { stored + updated + duplicates }

    /// Takes those of a batch. A reader that went away, or a full disk behind standard output, stops the printing, not the storing.
    mutating func take(_ receipts: [Remembered]) {
        for receipt in receipts {
            switch receipt.outcome {
            case .stored: stored += 1
            case .updated: updated += 1
            case .duplicate: duplicates += 1
            }
        }
        guard let print, failure == nil else { return }
        do {
            for receipt in receipts {
                try print == .json ? output.json(Self.json(receipt)) : output.line("\(receipt.id)")
            }
            // What is printed is committed, and what is committed is printed, even if the rest never comes.
            try output.flush()
        } catch {
            failure = error
        }
    }

    /// Ends the printing.
    ///
    /// - Throws: what stopped it, unless that was a reader that had seen enough.
    func finish() throws {
        if let failure, !(failure is OutputClosed) { throw failure }
    }

    /// As `--json` prints the whole.
    func json(expired: Int) -> JSONValue {
        .object([
            .init("stored", .integer(Int64(stored))), .init("updated", .integer(Int64(updated))),
            .init("duplicates", .integer(Int64(duplicates))), .init("expired", .integer(Int64(expired))),
        ])
    }

    /// For people: `3 memories stored, 1 updated, 2 there already`.
    var summary: String {
        var text = "\(Figures.count(stored, "memory", plural: "memories")) stored"
        if updated > 0 { text += ", \(Figures.count(updated)) updated" }
        if duplicates > 0 { text += ", \(Figures.count(duplicates)) there already" }
        return text
    }

    /// What ended the storing in the middle, with what was stored before.
    func interrupted(by error: any Error) -> any Error {
        guard total > 0, let verdict = FailureReport.verdict(on: error), let status = ExitStatus(rawValue: verdict.code) else {
            return error
        }
        let before = Figures.count(total, "memory", plural: "memories")
        return CommandFailure(status, "\(verdict.message); \(before) had been taken in by then: the same command again goes on from there")
    }

    private static func json(_ receipt: Remembered) -> JSONValue {
        .object([.init("id", .integer(receipt.id)), .init("outcome", .string(receipt.outcome.rawValue))])
    }
}
