import AgentQueueModel
import ArgumentParser

/// `--limit`, for commands that list what is stored.
struct LimitOption: ParsableArguments {
    @Option(name: .customLong("limit"), parsing: .unconditional, help: ArgumentHelp("Maximum number to show.", valueName: "n"))
    var count = 50

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--limit must be at least 1, not \(count)") }
    }

    /// Fetches so many rows, newest first, a page at a time, so that memory does not grow with their number.
    /// - Parameters:
    ///   - fetch: the newest rows before an id, at most `count` of them.
    ///   - id: a row's id, by which the next page is found.
    func forEachPage<Row>(
        of size: Int, _ fetch: (_ before: Int64?, _ count: Int) throws -> [Row], id: (Row) -> Int64, _ body: ([Row]) throws -> Void
    ) throws {
        var left = count
        var before: Int64?
        while left > 0 {
            let wanted = min(left, size)
            let rows = try fetch(before, wanted)
            try body(rows)
            guard let last = rows.last, rows.count == wanted else { return }
            before = id(last)
            left -= rows.count
        }
    }
}

extension FormatOptions {
    /// Prints one thing: as JSON with `--json`, else as lines fit for a terminal.
    func print(_ value: @autoclosure () throws -> JSONValue, lines: @autoclosure () throws -> [String]) throws {
        var output = Output()
        if json { try output.json(value()) } else { try output.lines(lines()) }
        try output.flush()
    }

    func print(_ value: @autoclosure () throws -> JSONValue, line: @autoclosure () throws -> String) throws {
        try print(try value(), lines: [try line()])
    }
}

/// Prints many things: as rows of a table, or with `--json` an object a line.
struct Listing {
    private let json: Bool
    private var output = Output()
    private var table: Table

    init(_ format: FormatOptions, _ columns: [Column]) {
        json = format.json
        table = Table(columns)
    }

    mutating func add(_ json: @autoclosure () -> JSONValue, row: @autoclosure () -> [Cell]) throws {
        if self.json { try output.json(json()) } else { table.add(row()) }
    }

    /// Prints what was added so far: long tables come in parts.
    mutating func printPart() throws {
        if !json { try output.lines(table.takeLines()) }
    }

    /// Prints the rest.
    mutating func finish() throws {
        try printPart()
        try output.flush()
    }
}
