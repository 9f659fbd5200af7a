import AgentQueueModel

/// What the lines of a bulk input are.
package enum BulkForm: Sendable {
    /// Jobs, in AgentQueue's own format or in OpenAI's or Anthropic's batch form.
    case jobs
    /// JSON objects of any kind, each of which fills in the template of a prompt.
    case objects(RowTemplate)
    /// Rows of CSV below a header, each of which fills in the template of a prompt.
    case csv(RowTemplate)

    /// SHA-256 of the template; nil for jobs that have none.
    var templateDigest: [UInt8]? {
        switch self {
        case .jobs: nil
        case .objects(let template), .csv(let template): template.digest
        }
    }
}

/// Makes the jobs of lines, whatever their form.
struct BulkLine: Sendable {
    private enum Form {
        case jobs
        case objects(RowTemplate)
        case csv(RowTemplate, CSVHeader)
    }

    private let line: JobLine
    private let form: Form

    /// - Throws: `InputError` if the header of a CSV file cannot be read or has not the columns of the template.
    init(_ line: JobLine, _ form: BulkForm, of input: BulkInput) throws(InputError) {
        self.line = line
        switch form {
        case .jobs: self.form = .jobs
        case .objects(let template): self.form = .objects(template)
        case .csv(let template):
            let header = try CSVHeader(of: input)
            try template.check(header.columns)
            self.form = .csv(template, header)
        }
    }

    var isCSV: Bool { if case .csv = form { true } else { false } }

    /// The number of the last line that holds no job: that of the header.
    var lastHeaderLine: Int { if case .csv(_, let header) = form { header.line } else { 0 } }

    /// Checks a line: throws exactly where ``job(_:)`` would.
    /// - Returns: its `custom_id`.
    func check(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> String? {
        switch form {
        case .jobs: return try line.check(bytes)
        default:
            try draft(bytes).check(in: line.context)
            return nil
        }
    }

    /// The job of a line.
    func job(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> NewJob {
        if case .jobs = form { return try line.job(bytes) }
        return try draft(bytes).validated(in: line.context)
    }

    private func draft(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> JobDraft {
        switch form {
        case .jobs: return try line.draft(bytes)
        case .objects(let template): return try line.draft(of: try JSONValue.members(ofLine: bytes), template)
        case .csv(let template, let header): return try line.draft(of: try header.row(bytes), template)
        }
    }
}

extension JobLine {
    /// The draft for a row: its prompt from a template, with all values as metadata.
    func draft(of row: [JSONValue.Member], _ template: RowTemplate) throws(InputError) -> JobDraft {
        var line = start
        line.draft.prompt = try template.text(for: row)
        let names = Set(row.map { ExactText($0.key) })
        let others = (line.draft.metadata?.members ?? []).filter { !names.contains(ExactText($0.key)) }
        line.draft.metadata = .object(others + row)
        dropDefaults(&line)
        return line.draft
    }
}
