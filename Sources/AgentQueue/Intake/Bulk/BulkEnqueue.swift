import AgentQueueModel

/// Adds jobs from a file in two passes over it: ``check(after:skippingInvalid:ingest:progress:)`` validates every line before anything is
/// added, and ``add(_:after:progress:commit:)`` makes the jobs again, slice by slice. Memory use is constant: a few MiB, a few times the
/// longest line, and some 16 bytes for each `custom_id`.
package struct BulkEnqueue: Sendable {
    let input: BulkInput
    let line: BulkLine

    /// Makes an import.
    /// - Parameters:
    ///   - input: the lines.
    ///   - form: what the lines are.
    ///   - defaults: options for lines that do not set them.
    ///   - context: targets, providers and the time, which are the same for all lines.
    ///   - provider: the provider that lines in OpenAI's or Anthropic's batch form go to. By default `openai` and `anthropic`.
    /// - Throws: `InputError` if the header of a CSV file cannot be read, the template names a column that is not there, or the provider is
    ///   unknown.
    package init(
        input: BulkInput, form: BulkForm = .jobs, defaults: JobDraft, context: IntakeContext, provider: String? = nil
    ) throws(InputError) {
        if let provider, context.identity(provider) == nil { throw InputError(context.unknownProvider(provider), kind: .usage) }
        self.input = input
        line = try BulkLine(JobLine(defaults: defaults, context: context, provider: provider), form, of: input)
    }
}

/// The result of the first pass over an input. The second pass requires it as proof that the whole input was checked.
package struct BulkSurvey: Sendable, Equatable {
    /// The number of lines, including blank ones.
    package let lines: Int
    /// The number of jobs in the checked lines.
    package let jobs: Int
    /// The number of invalid lines that are skipped; 0 unless skipping was requested.
    package let skipped: Int
    /// By which a repeated import recognizes its file; nil unless requested.
    package let digest: ContentDigest?
    /// Only lines after this one were checked.
    package let checkedAfterLine: Int

    let badLines: LineSet
}

extension BulkEnqueue {
    /// The first pass: validates every line, on two threads.
    /// - Parameters:
    ///   - resumeAfterLine: lines up to this one are not validated because they were added before; 0 validates all.
    ///   - skippingInvalid: receives the number and the error of each invalid line, in order, and the line is skipped. Nil (the default)
    ///     ends the pass at the first one. The error names the line itself.
    ///   - ingest: the named import that this is; nil for one without a name.
    ///   - progress: receives the bytes read so far and the total, about once for each MiB.
    /// - Returns: what ``add(_:after:progress:commit:)`` requires.
    /// - Throws: `InputError`: `line N: …` for an invalid line or one whose `custom_id` an earlier line has (`badData`), or if reading fails;
    ///   `CancellationError`.
    package func check(
        after resumeAfterLine: Int = 0, skippingInvalid: ((_ line: Int, _ error: InputError) -> Void)? = nil, ingest: BulkIngest? = nil,
        progress: ((_ bytes: Int64, _ total: Int64) -> Void)? = nil
    ) async throws -> BulkSurvey {
        var reader = LineReader(input, isCSV: line.isCSV, hasher: ingest.map { ContentHasher(prefixSize: $0.prefixSize) })
        let start = max(resumeAfterLine, line.lastHeaderLine)
        var jobs = 0
        var badLines = LineSet()
        var ids = CustomIDSet()
        var blocks = (LineBlock(), LineBlock())
        while try reader.next(&blocks.0) {
            try Task.checkCancellation()
            if try !reader.next(&blocks.1) { blocks.1.lines = [] }
            let (first, second) = blocks
            async let checkedFirst = verdict(on: first, after: start)
            let checkedSecond = verdict(on: second, after: start)
            for (block, verdict) in [(first, await checkedFirst), (second, checkedSecond)] {
                jobs += verdict.jobs
                let repeated = try ids.repeated(in: verdict.ids)
                jobs -= repeated.count
                for index in repeated.isEmpty ? verdict.bad : (verdict.bad + repeated).sorted() {
                    let place = block.lines[index]
                    let error = error(in: block, at: place) ?? CustomIDSet.repeated.inLine(place.number)
                    guard let skippingInvalid else { throw error }
                    skippingInvalid(place.number, error)
                    badLines.insert(place.number)
                }
            }
            progress?(reader.bytesRead, input.size)
        }
        return BulkSurvey(
            lines: reader.lineCount, jobs: jobs, skipped: badLines.count, digest: reader.digest, checkedAfterLine: start, badLines: badLines
        )
    }

    /// The result of checking a block. Invalid lines are kept only as indices, so that a file with nothing else takes no more memory.
    private struct Verdict: Sendable {
        var jobs = 0
        var bad: [Int] = []
        var ids: [CustomIDSet.Element] = []
    }

    private func verdict(on block: LineBlock, after resumeAfterLine: Int) -> Verdict {
        var verdict = Verdict()
        for (index, place) in block.lines.enumerated() where place.number > resumeAfterLine {
            do throws(InputError) {
                if let id = try check(place, in: block) { verdict.ids.append(.init(index: index, id: id)) }
                verdict.jobs += 1
            } catch {
                verdict.bad.append(index)
            }
        }
        return verdict
    }

    private func check(_ place: LineBlock.Line, in block: LineBlock) throws(InputError) -> String? {
        guard !place.isTooLong else { throw LineBlock.tooLong }
        return try block.withBytes(of: place) { (bytes) throws(InputError) in try line.check(bytes) }
    }

    private func error(in block: LineBlock, at place: LineBlock.Line) -> InputError? {
        do throws(InputError) {
            _ = try check(place, in: block)
            return nil
        } catch {
            return error.inLine(place.number)
        }
    }
}

extension BulkEnqueue {
    /// The second pass: makes the jobs and passes them on in slices of up to 1,000 jobs or 4 MiB, in the order of their lines. While a
    /// slice is being committed, the next one is made.
    /// - Parameters:
    ///   - survey: the result of the first pass.
    ///   - resumeAfterLine: lines up to this one were added before; 0 adds all. Must not be less than the survey's.
    ///   - progress: receives the number of the last line done and the number of lines, after each commit and at the end.
    ///   - commit: adds a slice and records the number of its last line, after which a later import continues. Calls never overlap, and a
    ///     call is awaited to its end even if something else fails. An error that it throws ends the pass.
    /// - Returns: the number of committed jobs.
    /// - Throws: `InputError` if the input is no longer what was checked, naming the line up to which jobs were added (they stay); the
    ///   errors of `commit`; `CancellationError`.
    @discardableResult
    package func add(
        _ survey: BulkSurvey, after resumeAfterLine: Int = 0, progress: ((_ lines: Int, _ total: Int) -> Void)? = nil,
        commit: @escaping @Sendable (_ jobs: [NewJob], _ lastLine: Int) async throws -> Void
    ) async throws -> Int {
        let start = max(resumeAfterLine, survey.checkedAfterLine)
        guard !input.hasChanged else { throw changed(nil, added: 0, upTo: start) }
        var slices = JobSliceReader(input, line: line, badLines: survey.badLines, after: start)
        var added = 0
        var lastLine = start
        var ready = Self.attempt(&slices)
        while let slice = try current(ready, added: added, upTo: lastLine) {
            try Task.checkCancellation()
            async let committed: Void = commit(slice.jobs, slice.lastLine)
            ready = Self.attempt(&slices)
            try await committed
            added += slice.jobs.count
            lastLine = slice.lastLine
            progress?(lastLine, survey.lines)
        }
        guard slices.lineCount == survey.lines else { throw changed(nil, added: added, upTo: lastLine) }
        progress?(survey.lines, survey.lines)
        return added
    }

    private static func attempt(_ slices: inout JobSliceReader) -> Result<JobSlice?, InputError> {
        do throws(InputError) {
            return .success(try slices.next())
        } catch {
            return .failure(error)
        }
    }

    private func current(_ ready: Result<JobSlice?, InputError>, added: Int, upTo line: Int) throws(InputError) -> JobSlice? {
        do throws(InputError) {
            return try ready.get()
        } catch {
            guard error.kind == .badData else { throw error }
            throw changed(error, added: added, upTo: line)
        }
    }

    private func changed(_ error: InputError?, added: Int, upTo line: Int) -> InputError {
        let reason = error.map { " (\($0.message))" } ?? ""
        let outcome = added == 0 ? "nothing was added" : "the \(added) jobs of the lines up to \(line) were added and stay"
        return InputError("\(input.name) was changed after it was checked\(reason); \(outcome)", kind: .badData)
    }
}

/// Jobs that are added in one transaction.
struct JobSlice: Sendable {
    /// In the order of their lines.
    var jobs: [NewJob]
    /// The number of the last job's line.
    var lastLine: Int

    /// The maximum number of jobs in a slice.
    static let maxJobs = 1_000
    /// The maximum bytes of requests and metadata in a slice that has several jobs.
    static let maxBytes = 4 << 20
}

/// The second pass: reads the jobs of a checked input a slice at a time.
struct JobSliceReader {
    private let line: BulkLine
    private let badLines: LineSet
    /// Lines up to this one are skipped unread.
    private let start: Int
    private var reader: LineReader
    private var block = LineBlock()
    private var index = 0
    /// A job that was read and did not fit into the previous slice.
    private var held: (job: NewJob, line: Int)?

    init(_ input: BulkInput, line: BulkLine, badLines: LineSet, after start: Int) {
        self.line = line
        self.badLines = badLines
        self.start = start
        reader = LineReader(input, isCSV: line.isCSV)
    }

    /// The number of lines so far.
    var lineCount: Int { reader.lineCount }

    /// Reads the next slice; nil at the end.
    /// - Throws: `InputError` for a line that is no longer what was checked, or if reading fails.
    mutating func next() throws(InputError) -> JobSlice? {
        var slice = JobSlice(jobs: [], lastLine: 0)
        slice.jobs.reserveCapacity(JobSlice.maxJobs)
        var bytes = 0
        while slice.jobs.count < JobSlice.maxJobs {
            guard let (job, number) = try nextJob() else { break }
            let size = job.body.utf8.count + (job.metadata.map(TextSize.bound(of:)) ?? 0)
            if !slice.jobs.isEmpty, bytes + size > JobSlice.maxBytes {
                held = (job, number)
                break
            }
            bytes += size
            slice.jobs.append(job)
            slice.lastLine = number
        }
        return slice.jobs.isEmpty ? nil : slice
    }

    private mutating func nextJob() throws(InputError) -> (job: NewJob, line: Int)? {
        if let held {
            self.held = nil
            return held
        }
        while true {
            while index < block.lines.count {
                let next = block.lines[index]
                index += 1
                guard next.number > start, !badLines.contains(next.number) else { continue }
                return (try job(at: next), next.number)
            }
            guard try reader.next(&block) else { return nil }
            index = 0
        }
    }

    private func job(at place: LineBlock.Line) throws(InputError) -> NewJob {
        do throws(InputError) {
            guard !place.isTooLong else { throw LineBlock.tooLong }
            return try block.withBytes(of: place) { (bytes) throws(InputError) in try line.job(bytes) }
        } catch {
            throw error.inLine(place.number)
        }
    }
}
