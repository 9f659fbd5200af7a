import AgentQueueModel

/// Adds jobs from JSONL in two passes over the input: ``check(after:skippingInvalid:digest:progress:)`` validates every line before
/// anything is added, ``add(_:after:progress:commit:)`` makes the jobs again, slice by slice. Memory is constant: a few MiB, and a few
/// times the longest line.
package struct BulkEnqueue: Sendable {
    let input: BulkInput
    let line: JobLine

    /// Makes a run.
    /// - Parameters:
    ///   - input: the lines.
    ///   - defaults: what holds where a line says nothing.
    ///   - context: targets, providers and the time, the same for all lines.
    package init(input: BulkInput, defaults: JobDraft, context: IntakeContext) {
        self.input = input
        line = JobLine(defaults: defaults, context: context)
    }
}

/// What the first pass over a bulk input found: proof that it was checked whole, which the second pass asks for.
package struct BulkSurvey: Sendable, Equatable {
    /// Lines, blank ones included: the number of the last.
    package let lines: Int
    /// Jobs in the lines that were checked.
    package let jobs: Int
    /// Bad lines that are passed over; 0 unless that was asked for.
    package let skipped: Int
    /// SHA-256 of the whole content, 32 bytes, by which a repeated run knows its file; nil unless asked for.
    package let sha256: [UInt8]?
    /// The line after which lines were checked.
    package let checkedAfterLine: Int

    let badLines: LineSet
}

extension BulkEnqueue {
    /// The first pass: validates every line, on two threads.
    /// - Parameters:
    ///   - resumeAfterLine: lines up to this one are not validated, for they were added before; 0 validates all.
    ///   - skippingInvalid: gets the number and the error of each bad line, in their order, and has it passed over; nil (the default)
    ///     ends the pass at the first. The error names the line itself.
    ///   - digest: whether to compute the SHA-256 of the whole content.
    ///   - progress: gets the bytes read so far and all there are, about once a MiB.
    /// - Returns: what ``add(_:after:progress:commit:)`` asks for.
    /// - Throws: `InputError`: `line N: …` for a bad line (`badData`), or where reading fails; `CancellationError`.
    package func check(
        after resumeAfterLine: Int = 0, skippingInvalid: ((_ line: Int, _ error: InputError) -> Void)? = nil, digest: Bool = false,
        progress: ((_ bytes: Int64, _ total: Int64) -> Void)? = nil
    ) async throws -> BulkSurvey {
        var reader = LineReader(input, digest: digest)
        var jobs = 0
        var badLines = LineSet()
        var blocks = (LineBlock(), LineBlock())
        while try reader.next(&blocks.0) {
            try Task.checkCancellation()
            if try !reader.next(&blocks.1) { blocks.1.lines = [] }
            let (first, second) = blocks
            async let checkedFirst = verdict(on: first, after: resumeAfterLine)
            let checkedSecond = verdict(on: second, after: resumeAfterLine)
            for (block, verdict) in [(first, await checkedFirst), (second, checkedSecond)] {
                jobs += verdict.jobs
                for index in verdict.bad {
                    let place = block.lines[index]
                    guard let error = error(in: block, at: place) else { continue }
                    guard let skippingInvalid else { throw error }
                    skippingInvalid(place.number, error)
                    badLines.insert(place.number)
                }
            }
            progress?(reader.bytesRead, input.size)
        }
        return BulkSurvey(
            lines: reader.lineCount, jobs: jobs, skipped: badLines.count, sha256: digest ? reader.digest : nil,
            checkedAfterLine: resumeAfterLine, badLines: badLines)
    }

    /// What a block came to. The bad lines are kept as indices alone, so that a file of nothing else takes no more memory.
    private struct Verdict: Sendable {
        var jobs = 0
        var bad: [Int] = []
    }

    private func verdict(on block: LineBlock, after resumeAfterLine: Int) -> Verdict {
        var verdict = Verdict()
        for (index, place) in block.lines.enumerated() where place.number > resumeAfterLine {
            if error(in: block, at: place) == nil { verdict.jobs += 1 } else { verdict.bad.append(index) }
        }
        return verdict
    }

    private func error(in block: LineBlock, at place: LineBlock.Line) -> InputError? {
        do throws(InputError) {
            guard !place.isTooLong else { throw LineBlock.tooLong }
            try block.withBytes(of: place) { (bytes) throws(InputError) in try line.check(bytes) }
            return nil
        } catch {
            return error.inLine(place.number)
        }
    }
}

extension BulkEnqueue {
    /// The second pass: makes the jobs, and hands them on in slices of up to 1,000 jobs or 4 MiB, in the order of their lines. While a
    /// slice is being committed, the next one is made.
    /// - Parameters:
    ///   - survey: what the first pass found.
    ///   - resumeAfterLine: lines up to this one were added before; 0 adds all. Not less than the survey's own.
    ///   - progress: gets the lines done (all up to that one) and how many there are, after each commit and at the end.
    ///   - commit: adds a slice, with the number of its last line, from which a later run goes on. Never called twice at a time, and
    ///     awaited to its end whatever else fails. What it throws ends the pass.
    /// - Returns: how many jobs were handed on and committed.
    /// - Throws: `InputError` if the input is no longer what was checked, saying up to which line jobs were added, which stay;
    ///   what `commit` throws; `CancellationError`.
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
    /// The number of the last one's line.
    var lastLine: Int

    /// The most jobs in a slice.
    static let maxJobs = 1_000
    /// The most bytes of requests and metadata in a slice that holds several jobs.
    static let maxBytes = 4 << 20
}

/// The second pass: jobs of a checked input, a slice at a time.
struct JobSliceReader {
    private let line: JobLine
    private let badLines: LineSet
    /// Up to here lines are passed over unread.
    private let start: Int
    private var reader: LineReader
    private var block = LineBlock()
    private var index = 0
    /// A job that was read and did not fit into the slice before.
    private var held: (job: NewJob, line: Int)?

    init(_ input: BulkInput, line: JobLine, badLines: LineSet, after start: Int) {
        self.line = line
        self.badLines = badLines
        self.start = start
        reader = LineReader(input)
    }

    /// Lines met so far.
    var lineCount: Int { reader.lineCount }

    /// The next slice; nil at the end.
    /// - Throws: `InputError`, for a line that is no longer what was checked, or where reading fails.
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
