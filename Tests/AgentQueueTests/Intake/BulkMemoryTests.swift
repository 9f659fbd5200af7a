import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Synchronization
import Testing

@testable import AgentQueue

/// Input of 200 MB may take less than 60 MB of memory. Each is measured in a process of its own, away from the other tests.
@Suite(.serialized) struct BulkMemoryTests {
    @Test func twoPassesTakeConstantMemory() async {
        await #expect(processExitsWith: .success) { try await Self.runBothPasses(size: 200_000_000, lineLength: 20_000) }
    }

    @Test func longLinesDoNotAddUp() async {
        await #expect(processExitsWith: .success) { try await Self.runBothPasses(size: 60_000_000, lineLength: 1_000_000) }
    }

    @Test func shortLinesTakeConstantMemoryToo() async {
        await #expect(processExitsWith: .success) {
            try await withFolder { folder in
                let lines = try Self.generate(folder + "/in", size: 200_000_000, lineLength: 240)
                let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
                let memory = MemoryGauge()
                var bytes = 0
                let count = try input.forEachLine { number, line in
                    bytes += line.count + 1
                    if number % 10_000 == 0 { memory.note() }
                }
                #expect(count == lines)
                #expect(bytes == Int(input.size))
                #expect(memory.growth < 20 << 20, "grew by \(memory.growth >> 20) MiB")
            }
        }
    }

    @Test func aFileOfNothingButBadLinesTakesConstantMemory() async {
        await #expect(processExitsWith: .success) {
            try await withFolder { folder in
                try write(Array(repeatElement(Array("1\n".utf8), count: 300_000).joined()), to: folder + "/in")
                let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
                let run = try BulkEnqueue(input: input, defaults: JobDraft(), context: context())
                let memory = MemoryGauge()
                var bad = 0
                let survey = try await run.check(
                    skippingInvalid: { _, _ in
                        bad += 1
                        if bad % 10_000 == 0 { memory.note() }
                    })
                #expect((bad, survey.skipped, survey.jobs) == (300_000, 300_000, 0))
                #expect(memory.growth < 30 << 20, "grew by \(memory.growth >> 20) MiB")
            }
        }
    }

    /// With `AGENT_QUEUE_MEASURE=1` prints the lines a second of both passes, for lines of 300 bytes; a release build's count.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["AGENT_QUEUE_MEASURE"] != nil)) func measures() async throws {
        try await withFolder { folder in
            let lines = try Self.generate(folder + "/in", size: 150_000_000, lineLength: 240)
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let run = try BulkEnqueue(input: input, defaults: JobDraft(), context: context())
            let clock = ContinuousClock()
            let start = clock.now
            let survey = try await run.check(ingest: BulkIngest(new: "n"))
            let middle = clock.now
            try await run.add(survey) { _, _ in }
            for (pass, duration) in [("check", middle - start), ("add", clock.now - middle)] {
                print("\(pass): \(Int(Double(lines) / (duration / .seconds(1)))) lines/s")
            }
        }
    }

    private static func runBothPasses(size: Int, lineLength: Int) async throws {
        try await withFolder { folder in
            let lines = try generate(folder + "/in", size: size, lineLength: lineLength)
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let run = try BulkEnqueue(input: input, defaults: JobDraft(), context: context())
            let memory = MemoryGauge()
            let survey = try await run.check(ingest: BulkIngest(new: "n"), progress: { _, _ in memory.note() })
            let added = try await run.add(survey) { _, _ in memory.note() }
            #expect(added == lines)
            #expect(memory.growth < 60 << 20, "grew by \(memory.growth >> 20) MiB")
        }
    }

    /// Writes lines of about `lineLength` bytes, and tells how many.
    private static func generate(_ path: String, size: Int, lineLength: Int) throws -> Int {
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        var lines = 0
        var written = 0
        let filler = String(repeating: "word ", count: lineLength / 5)
        while written < size {
            var chunk: [UInt8] = []
            while chunk.count < 1 << 20 {
                lines += 1
                chunk += Array("{\"prompt\":\"\(lines) \(filler)\",\"max_tokens\":64,\"priority\":3,\"tags\":[\"bulk\"]}\n".utf8)
            }
            try handle.write(contentsOf: chunk)
            written += chunk.count
        }
        try handle.close()
        return lines
    }
}

/// How much more memory was resident at most than when it was made.
final class MemoryGauge: Sendable {
    private let before = residentBytes()
    private let most = Mutex(0)

    func note() {
        let now = residentBytes()
        most.withLock { $0 = max($0, now) }
    }

    var growth: Int { most.withLock { $0 } - before }
}
