import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueue

@Suite struct BulkInputTests {
    private func lines(_ input: BulkInput, from first: Int = 1) throws -> (lines: [String], count: Int) {
        var found: [String] = []
        let count = try input.forEachLine(from: first) { number, bytes in
            found.append("\(number):\(String(decoding: bytes, as: UTF8.self))")
        }
        return (found, count)
    }

    private func lines(of text: String, from first: Int = 1) async throws -> (lines: [String], count: Int) {
        try await withFolder { folder in
            try write(Array(text.utf8), to: folder + "/in")
            return try lines(try BulkInput(path: folder + "/in", spoolFolder: folder), from: first)
        }
    }

    @Test(arguments: [
        ("", [], 0), ("a", ["1:a"], 1), ("a\n", ["1:a"], 1), ("a\nb", ["1:a", "2:b"], 2), ("a\r\nb\r\n", ["1:a", "2:b"], 2),
        ("\u{FEFF}a\nb", ["1:a", "2:b"], 2), ("\u{FEFF}", [], 0), ("\u{FEFF}\n", [], 1), ("\n\na\n \t\r\nb\n\n", ["3:a", "5:b"], 6),
        ("a\n\u{FEFF}b", ["1:a", "2:\u{FEFF}b"], 2), ("\r\n", [], 1), ("  a  \n", ["1:  a"], 1),
    ])
    func splits(_ text: String, _ expected: [String], _ count: Int) async throws {
        let found = try await lines(of: text)
        #expect(found.lines.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
        #expect(found.count == count)
    }

    @Test func goesOnFromALine() async throws {
        let found = try await lines(of: "a\n\nb\nc\n", from: 3)
        #expect(found.lines == ["3:b", "4:c"])
        #expect(found.count == 4)
    }

    @Test func linesCrossBlocks() async throws {
        // Lines of 1 byte to 3 MiB around every edge of the 1 MiB blocks.
        let lengths = [1, (1 << 20) - 3, 1, 1, 1 << 20, (1 << 20) - 1, 3 << 20, 5, (1 << 20) + 1, 10 << 20, 7]
        let texts = lengths.enumerated().map { String(repeating: Character(Unicode.Scalar(UInt8(97 + $0))), count: $1) }
        for end in ["", "\n"] {
            let found = try await lines(of: texts.joined(separator: "\n") + end)
            #expect(found.lines == texts.enumerated().map { "\($0 + 1):\($1)" })
            #expect(found.count == texts.count)
        }
    }

    @Test func aLineMayBeSoLongAndNoLonger() async throws {
        let limit = JobLimits.maxRequestBytes
        let fits = String(repeating: "x", count: limit)
        #expect(try await lines(of: fits + "\r\na").lines.map(\.utf8.count) == [limit + 2, 3])
        for rest in ["", "\n", "\na\n"] {
            await #expect(throws: InputError("line 1: the line is longer than 32MiB", kind: .badData)) {
                try await lines(of: fits + "x" + rest)
            }
        }
        await #expect(throws: InputError("line 2: the line is longer than 32MiB", kind: .badData)) {
            try await lines(of: "a\n" + fits + fits + "\nb")
        }
    }

    @Test func aPipeIsSpooledToAFileWithoutAName() async throws {
        try await withFolder { folder in
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let (source, sink) = (ends[0], ends[1])
            let text = (1...200_000).map { "line \($0)" }.joined(separator: "\n")
            let writer = Thread {
                let bytes = Array(text.utf8)
                var sent = 0
                while sent < bytes.count { sent += max(0, bytes[sent...].withUnsafeBytes { Glibc.write(sink, $0.baseAddress, $0.count) }) }
                close(sink)
            }
            writer.start()
            let input = try BulkInput(descriptor: source, spoolFolder: folder)
            close(source)
            #expect(input.size == Int64(text.utf8.count))
            #expect(input.name == "standard input")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            // Twice: every pass is from the beginning.
            for _ in 1...2 {
                let found = try lines(input, from: 199_999)
                #expect(found.lines == ["199999:line 199999", "200000:line 200000"])
                #expect(found.count == 200_000)
            }
            #expect(!input.hasChanged)
        }
    }

    @Test func aNamedPipeAndAMissingSpoolFolderWork() async throws {
        try await withFolder { folder in
            let path = folder + "/fifo"
            #expect(mkfifo(path, 0o600) == 0)
            Thread {
                let sink = open(path, O_WRONLY)
                _ = Glibc.write(sink, "a\nb\n", 4)
                close(sink)
            }.start()
            let input = try BulkInput(path: path, spoolFolder: folder + "/missing")
            #expect(try lines(input).lines == ["1:a", "2:b"])
        }
    }

    @Test func aRedirectedFileIsReadFromWhereItStands() async throws {
        try await withFolder { folder in
            try write(Array("header\na\nb\n".utf8), to: folder + "/in")
            let descriptor = open(folder + "/in", O_RDONLY)
            defer { close(descriptor) }
            lseek(descriptor, 7, SEEK_SET)
            let input = try BulkInput(descriptor: descriptor, spoolFolder: folder)
            #expect(try lines(input).lines == ["1:a", "2:b"])
            #expect(input.size == 4)
        }
    }

    @Test func whatIsAppendedLaterIsNotRead() async throws {
        try await withFolder { folder in
            try write(Array("a\n".utf8), to: folder + "/in")
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let handle = try #require(FileHandle(forWritingAtPath: folder + "/in"))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("b\n".utf8))
            try handle.close()
            #expect(input.hasChanged)
            #expect(try lines(input).lines == ["1:a"])
        }
    }

    @Test func whatCannotBeReadIsNamed() async throws {
        try await withFolder { folder in
            #expect(throws: InputError("\(folder)/none cannot be opened: no such file or directory", kind: .usage)) {
                try BulkInput(path: folder + "/none", spoolFolder: folder)
            }
            #expect(throws: InputError("\(folder) is a folder, not a file of JSONL", kind: .usage)) {
                try BulkInput(path: folder, spoolFolder: folder)
            }
            #expect(throws: InputError("standard input cannot be read: bad file descriptor", kind: .usage)) {
                try BulkInput(descriptor: 987, spoolFolder: folder)
            }
            #expect(throws: InputError.self) { try BulkInput(path: "", spoolFolder: nil) }
            if getuid() != 0 {
                try write([], to: folder + "/secret")
                chmod(folder + "/secret", 0)
                #expect(throws: InputError("\(folder)/secret cannot be opened: permission denied", kind: .permission)) {
                    try BulkInput(path: folder + "/secret", spoolFolder: folder)
                }
            }
        }
    }

    @Test func theDigestIsOfAllBytes() async throws {
        try await withFolder { folder in
            let bytes = Array("\u{FEFF}{\"prompt\":\"a\"}\r\n\n".utf8) + Array(repeating: 0x20, count: 3 << 20)
            try write(bytes, to: folder + "/in")
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let survey = try await BulkEnqueue(input: input, defaults: JobDraft(), context: context()).check(ingest: BulkIngest(new: "n"))
            let hex = survey.digest?.sha256.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(hex == "e387780ce54751f9a06dc9f983bbbc20009fcb5c3f80bfc4595e8ba0ba847d4a")
            #expect((survey.lines, survey.jobs, survey.skipped) == (3, 1, 0))
        }
    }
}
