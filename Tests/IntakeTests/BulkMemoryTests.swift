import Foundation
import JobModel
import Testing

@testable import AgentQueue

/// 200 MB of input may take less than 60 MB of memory; `AGENT_QUEUE_MEASURE=1` prints the rates too (of a release build, they count).
@Suite(.serialized) struct BulkMemoryTests {
    private static let size = 200_000_000
    private static let limit = 60 << 20

    /// Lines of about `length` bytes, without holding them.
    private func generate(_ path: String, lineLength length: Int) throws -> Int {
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        var lines = 0
        var written = 0
        let filler = String(repeating: "word ", count: length / 5)
        while written < Self.size {
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

    private func rate(_ what: String, _ lines: Int, _ duration: Duration) {
        guard ProcessInfo.processInfo.environment["AGENT_QUEUE_MEASURE"] != nil else { return }
        print("\(what): \(Int(Double(lines) / (duration / .seconds(1)))) lines/s")
    }

    @Test(arguments: [20_000, 1_000_000]) func twoPassesTakeConstantMemory(_ length: Int) async throws {
        try await withFolder { folder in
            let lines = try generate(folder + "/in", lineLength: length)
            let before = residentBytes()
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let run = BulkEnqueue(input: input, defaults: JobDefaults(), context: context())
            let highest = Highest()
            let survey = try await run.check(digest: true, progress: { _, _ in highest.note() })
            let added = try await run.add(survey) { _, _ in highest.note() }
            #expect(added == lines)
            #expect(highest.bytes - before < Self.limit, "grew by \((highest.bytes - before) >> 20) MiB")
        }
    }

    @Test func shortLinesTakeConstantMemoryToo() async throws {
        try await withFolder { folder in
            let lines = try generate(folder + "/in", lineLength: 240)
            let before = residentBytes()
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let highest = Highest()
            var bytes = 0
            #expect(
                try input.forEachLine { number, line in
                    bytes += line.count + 1
                    if number % 10_000 == 0 { highest.note() }
                } == lines)
            #expect(bytes == Int(input.size))
            #expect(highest.bytes - before < Self.limit, "grew by \((highest.bytes - before) >> 20) MiB")
        }
    }

    @Test func aFileOfNothingButBadLinesTakesConstantMemory() async throws {
        try await withFolder { folder in
            try write(Array(repeatElement(Array("1\n".utf8), count: 1_000_000).joined()), to: folder + "/in")
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let before = residentBytes()
            let highest = Highest()
            var bad = 0
            let run = BulkEnqueue(input: input, defaults: JobDefaults(), context: context())
            let survey = try await run.check(
                skippingInvalid: { _, _ in bad += 1 }, progress: { _, _ in highest.note() })
            #expect((bad, survey.skipped, survey.jobs) == (1_000_000, 1_000_000, 0))
            #expect(highest.bytes - before < Self.limit, "grew by \((highest.bytes - before) >> 20) MiB")
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["AGENT_QUEUE_MEASURE"] != nil)) func measures() async throws {
        try await withFolder { folder in
            let lines = try generate(folder + "/in", lineLength: 240)
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let run = BulkEnqueue(input: input, defaults: JobDefaults(), context: context())
            let clock = ContinuousClock()
            var start = clock.now
            let survey = try await run.check(digest: true)
            rate("check", lines, clock.now - start)
            start = clock.now
            try await run.add(survey) { _, _ in }
            rate("add", lines, clock.now - start)
        }
    }
}

/// The most memory seen.
final class Highest: @unchecked Sendable {
    private let lock = NSLock()
    private var most = 0

    func note() { lock.withLock { most = max(most, residentBytes()) } }
    var bytes: Int { lock.withLock { most } }
}
