import JobModel

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
    public func add(
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
            guard error.exit == .badData else { throw error }
            throw changed(error, added: added, upTo: line)
        }
    }

    private func changed(_ error: InputError?, added: Int, upTo line: Int) -> InputError {
        let reason = error.map { " (\($0.message))" } ?? ""
        let outcome = added == 0 ? "nothing was added" : "the \(added) jobs of the lines up to \(line) were added and stay"
        return InputError("\(input.name) was changed after it was checked\(reason); \(outcome)", exit: .badData)
    }
}
