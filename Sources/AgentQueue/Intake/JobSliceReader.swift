import JobModel

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
            let draft = try block.withBytes(of: place) { (bytes) throws(InputError) in try line.draft(bytes) }
            return try draft.validated(in: line.context)
        } catch {
            throw error.inLine(place.number)
        }
    }
}
