import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueue

@Suite struct BulkEnqueueTests {
    private func run(_ text: String, _ body: (_ run: BulkEnqueue, _ path: String) async throws -> Void) async throws {
        try await withFolder { folder in
            try write(Array(text.utf8), to: folder + "/in.jsonl")
            let input = try BulkInput(path: folder + "/in.jsonl", spoolFolder: folder)
            try await body(try BulkEnqueue(input: input, defaults: JobDraft(), context: context()), folder + "/in.jsonl")
        }
    }

    private static func prompts(_ numbers: ClosedRange<Int>) -> String {
        numbers.map { #"{"prompt":"question \#($0)"}"# }.joined(separator: "\n")
    }

    @Test func slicesKeepOrderAndNumbers() async throws {
        try await run("\n" + Self.prompts(1...2_500) + "\n\n") { run, _ in
            let survey = try await run.check()
            #expect((survey.lines, survey.jobs) == (2_502, 2_500))
            let committed = Committed()
            var progress: [Int] = []
            let added = try await run.add(survey, progress: { lines, total in progress.append(total == 2_502 ? lines : -1) }) {
                committed.add($0, $1)
            }
            #expect(added == 2_500)
            #expect(committed.sizes == [1_000, 1_000, 500])
            #expect(committed.lastLines == [1_001, 2_001, 2_501])
            #expect(progress == [1_001, 2_001, 2_501, 2_502])
            #expect(committed.jobs.map(\.body) == (1...2_500).map { #"{"messages":[{"role":"user","content":"question \#($0)"}]}"# })
        }
    }

    @Test func slicesAreBoundedInBytes() async throws {
        let line = #"{"prompt":"\#(String(repeating: "x", count: 1 << 20))"}"#
        let large = #"{"prompt":"\#(String(repeating: "x", count: 6 << 20))"}"#
        try await run([line, line, line, line, large, line].joined(separator: "\n")) { run, _ in
            let committed = Committed()
            try await run.add(try await run.check()) { committed.add($0, $1) }
            #expect(committed.sizes == [3, 1, 1, 1])
            #expect(committed.lastLines == [3, 4, 5, 6])
        }
    }

    @Test func theFirstBadLineStopsBeforeAnythingIsAdded() async throws {
        let text = Self.prompts(1...30_000) + "\n{\"prompt\":\"\"}\n" + Self.prompts(1...30_000) + "\n[]\n"
        try await run(text) { run, _ in
            await #expect(throws: InputError("line 30001: the prompt is empty", kind: .badData)) { try await run.check() }
        }
        try await run(#"{"prompt":"x","priority":0}"#) { run, _ in
            await #expect(throws: InputError("line 1: priority must be 1 to 9 (lower runs first), not 0", kind: .badData)) {
                try await run.check()
            }
        }
    }

    @Test func badLinesArePassedOverOnRequest() async throws {
        let long = String(repeating: "x", count: JobLimits.maxRequestBytes + 1)
        try await run("{\n\(Self.prompts(2...1_500))\n\(long)\n[]\n{\"prompt\":\"last\"}\nnull") { run, _ in
            var bad: [String] = []
            let survey = try await run.check(skippingInvalid: { bad.append("\($0) \($1)") })
            #expect(
                bad == [
                    "1 line 1: not valid JSON at byte 2: an object needs a key here", "1501 line 1501: the line is longer than 32MiB",
                    "1502 line 1502: a line must hold an object, not a list", "1504 line 1504: a line must hold an object, not null",
                ])
            #expect((survey.lines, survey.jobs, survey.skipped) == (1_504, 1_500, 4))
            let committed = Committed()
            #expect(try await run.add(survey) { committed.add($0, $1) } == 1_500)
            #expect(committed.lastLines == [1_001, 1_503])
        }
    }

    @Test func aRunGoesOnWhereItStopped() async throws {
        try await run("not a job any more\n" + Self.prompts(2...3_000)) { run, _ in
            let survey = try await run.check(after: 1_001)
            #expect((survey.lines, survey.jobs) == (3_000, 1_999))
            for start in [0, 1_001, 2_999, 3_000, 9_999] {
                let committed = Committed()
                let added = try await run.add(survey, after: start) { committed.add($0, $1) }
                #expect(added == max(0, 3_000 - max(start, 1_001)))
                #expect(committed.jobs.first.map(\.body) == (added > 0 ? committed.jobs.first?.body : nil))
                if added > 0 {
                    let first = #"{"messages":[{"role":"user","content":"question \#(max(start, 1_001) + 1)"}]}"#
                    #expect(committed.jobs.first?.body == first)
                }
            }
        }
    }

    @Test func anEmptyInputHoldsNoJobs() async throws {
        for text in ["", "\n\n"] {
            try await run(text) { run, _ in
                let survey = try await run.check()
                #expect(survey.jobs == 0)
                #expect(try await run.add(survey) { _, _ in Issue.record("nothing to commit") } == 0)
            }
        }
    }

    @Test func aFileChangedAfterTheCheckStopsTheRun() async throws {
        try await run(Self.prompts(1...3_000)) { run, path in
            let survey = try await run.check()
            try await Task.sleep(for: .milliseconds(20))
            try Self.overwrite(path, at: 0, with: "x")
            let committed = Committed()
            await #expect(throws: InputError("\(path) was changed after it was checked; nothing was added", kind: .badData)) {
                try await run.add(survey) { committed.add($0, $1) }
            }
            #expect(committed.jobs.isEmpty)
        }
    }

    @Test func aFileChangedDuringTheRunSaysWhatStays() async throws {
        // 3 MB: line 5,500 lies in the third block, far behind what is read ahead of the first commit.
        let line = #"{"prompt":"\#(String(repeating: "x", count: 500))"}"#
        let text = String(repeating: line + "\n", count: 6_000)
        try await run(text) { run, path in
            let survey = try await run.check()
            let committed = Committed()
            let place = (line.utf8.count + 1) * 5_500
            await #expect(
                throws: InputError(
                    "\(path) was changed after it was checked (line 5501: not valid JSON at byte 1: unexpected byte 0x78); "
                        + "the 5000 jobs of the lines up to 5000 were added and stay", kind: .badData)
            ) {
                try await run.add(survey) { jobs, lastLine in
                    if lastLine == 1_000 { try Self.overwrite(path, at: place, with: "x") }
                    committed.add(jobs, lastLine)
                }
            }
            #expect(committed.jobs.count == 5_000)
        }
        try await run(text) { run, path in
            let survey = try await run.check()
            let place = (line.utf8.count + 1) * 5_500
            let expected =
                "\(path) was changed after it was checked; the 5500 jobs of the lines up to 5500 were added and stay"
            await #expect(throws: InputError(expected, kind: .badData)) {
                try await run.add(survey) { _, lastLine in
                    if lastLine == 1_000 { #expect(truncate(path, off_t(place)) == 0) }
                }
            }
        }
    }

    private static func overwrite(_ path: String, at place: Int, with text: String) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test func whatCommitThrowsEndsTheRun() async throws {
        struct Full: Error {}
        try await run(Self.prompts(1...5_000)) { run, _ in
            let survey = try await run.check()
            let committed = Committed()
            await #expect(throws: Full.self) {
                try await run.add(survey) { jobs, lastLine in
                    guard lastLine < 3_000 else { throw Full() }
                    committed.add(jobs, lastLine)
                }
            }
            #expect(committed.lastLines == [1_000, 2_000])
        }
    }

    @Test func commitsNeverOverlap() async throws {
        try await run(Self.prompts(1...5_000)) { run, _ in
            let survey = try await run.check()
            let under = Committed()
            let done = Committed()
            try await run.add(survey) { jobs, lastLine in
                #expect(under.sizes.count == done.sizes.count)
                under.add([], lastLine)
                try await Task.sleep(for: .milliseconds(5))
                done.add(jobs, lastLine)
            }
            #expect(done.jobs.count == 5_000)
        }
    }

    @Test func cancellationEndsBothPasses() async throws {
        try await run(Self.prompts(1...5_000)) { run, _ in
            let survey = try await run.check()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await run.check() }
                await #expect(throws: CancellationError.self) { try await run.add(survey) { _, _ in } }
            }
            await task.value
        }
    }
}
