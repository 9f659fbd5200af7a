import JobModel

/// What adding many jobs came to, and their numbers if they are to be printed.
actor BulkReceipts {
    private(set) var added = 0
    private(set) var duplicates = 0
    private let printsReceipts: Bool
    private let json: Bool
    private var output = Output()
    private var failure: (any Error)?

    init(printsReceipts: Bool, json: Bool) {
        self.printsReceipts = printsReceipts
        self.json = json
    }

    /// Takes those of a slice. A reader that went away, or a full disk behind standard output, stops the printing, not the adding.
    func take(_ receipts: [Enqueued]) {
        for receipt in receipts {
            if receipt.duplicateOf == nil { added += 1 } else { duplicates += 1 }
        }
        guard printsReceipts, failure == nil else { return }
        do {
            for receipt in receipts {
                try json ? output.json(ReceiptJSON.receipt(receipt)) : output.line("\(receipt.id)")
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
}
