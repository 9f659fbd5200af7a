import JobModel

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
    public func check(
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
            let draft = try block.withBytes(of: place) { (bytes) throws(InputError) in try line.draft(bytes) }
            try draft.check(in: line.context)
            return nil
        } catch {
            return error.inLine(place.number)
        }
    }
}
