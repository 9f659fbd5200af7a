import AgentQueueModel

/// Reads records of CSV (RFC 4180): fields between commas, in quotes where they hold a comma, a quote (written twice) or a line break.
enum CSVRecord {
    /// The fields of a record.
    /// - Parameter bytes: the record without its line break.
    /// - Throws: `InputError` if its quotes do not match or a field is not UTF-8.
    static func fields(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> [String] {
        var fields: [String] = []
        var position = 0
        while true {
            fields.append(try field(bytes, at: &position, number: fields.count + 1))
            guard position < bytes.count else { return fields }
            // What ends a field is a comma.
            position += 1
        }
    }

    private static func field(_ bytes: UnsafeRawBufferPointer, at position: inout Int, number: Int) throws(InputError) -> String {
        let comma = UInt8(ascii: ",")
        let quote = UInt8(ascii: "\"")
        var start = position
        guard position < bytes.count, bytes[position] == quote else {
            while position < bytes.count, bytes[position] != comma {
                guard bytes[position] != quote else {
                    throw InputError(
                        "field \(number) holds a quote but does not begin with one (put the field in quotes, and its quotes twice)",
                        kind: .badData)
                }
                position += 1
            }
            return try text(bytes[start..<position], number: number)
        }
        var whole: [UInt8] = []
        position += 1
        start = position
        while position < bytes.count {
            guard bytes[position] == quote else {
                position += 1
                continue
            }
            whole += bytes[start..<position]
            position += 1
            guard position < bytes.count, bytes[position] != comma else { return try text(whole[...], number: number) }
            guard bytes[position] == quote else {
                throw InputError("field \(number) goes on after its closing quote (write a quote inside it twice)", kind: .badData)
            }
            start = position
            position += 1
        }
        throw InputError("field \(number) begins with a quote that is not closed", kind: .badData)
    }

    private static func text(_ bytes: some Collection<UInt8>, number: Int) throws(InputError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InputError("field \(number) is not valid UTF-8", kind: .badData)
        }
        return text
    }
}

/// The header of a CSV file.
struct CSVHeader: Sendable {
    /// The names of the columns, each once.
    let columns: [String]
    /// The number of its line.
    let line: Int

    /// Reads the first record of an input.
    /// - Throws: `InputError` if there is none, or its names are not usable.
    init(of input: BulkInput) throws(InputError) {
        var reader = LineReader(input, isCSV: true)
        var block = LineBlock()
        var first: LineBlock.Line?
        while first == nil, try reader.next(&block) { first = block.lines.first }
        guard let first else { throw InputError("the file is empty: its first line must name the columns", kind: .badData) }
        line = first.number
        do throws(InputError) {
            guard !first.isTooLong else { throw LineBlock.tooLong }
            columns = try block.withBytes(of: first) { (bytes) throws(InputError) in try CSVRecord.fields(bytes) }
            try Self.check(columns)
        } catch {
            throw error.inLine(first.number)
        }
    }

    private static func check(_ columns: [String]) throws(InputError) {
        var seen = Set<ExactText>()
        for (index, name) in columns.enumerated() {
            guard !TextSize.isBlank(name) else { throw InputError("column \(index + 1) has no name", kind: .badData) }
            guard seen.insert(ExactText(name)).inserted else {
                throw InputError("two columns are named \(InvalidText.quoted(name))", kind: .badData)
            }
        }
        guard columns.count == 1, let separator = columns[0].first(where: { $0 == ";" || $0 == "\t" }) else { return }
        throw InputError(
            "the columns are separated by \(separator == ";" ? "';'" : "tabs"), not by commas (convert the file to CSV)", kind: .badData)
    }

    /// The fields of a record by their columns.
    func row(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> [JSONValue.Member] {
        let fields = try CSVRecord.fields(bytes)
        guard fields.count == columns.count else {
            throw InputError(
                "the row has \(fields.count) \(fields.count == 1 ? "field" : "fields"), and the header \(columns.count)", kind: .badData)
        }
        return zip(columns, fields).map { JSONValue.Member($0, .string($1)) }
    }
}
