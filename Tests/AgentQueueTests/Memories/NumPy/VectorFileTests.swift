import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueue

/// Vectors in `.npy` files.
@Suite struct VectorFileTests {
    private static func refusal(_ path: String) -> InputError? {
        do throws(InputError) {
            _ = try VectorFile(path: path)
            return nil
        } catch {
            return error
        }
    }

    private static func head(_ descr: String, _ rows: Int, _ columns: Int) -> [UInt8] {
        let text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    }

    @Test func whatIsWrittenIsReadAgain() async throws {
        try await withFolder { folder in
            let path = "\(folder)/v.npy"
            let vectors: [[Float]?] = [[1, -0.5, 0.1], nil, [.leastNonzeroMagnitude, .greatestFiniteMagnitude, -0]]
            let writer = try VectorFileWriter(path: path)
            for vector in vectors { try writer.append(vector, dimension: 3) }
            #expect(!FileManager.default.fileExists(atPath: path), "it has its name before it is whole")
            try writer.finish()
            #expect(try read(path).count == 128 + 9 * 4)
            let file = try VectorFile(path: path)
            #expect((file.rows, file.dimension) == (3, 3))
            for (index, vector) in vectors.enumerated() { #expect(try file.row(index) == vector ?? [0, 0, 0]) }
            #expect(throws: InputError.self) { try file.row(3) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["v.npy"])
        }
    }

    @Test func rowsOfAnotherLengthAreRefused() async throws {
        try await withFolder { folder in
            let writer = try VectorFileWriter(path: "\(folder)/v.npy")
            try writer.append([1, 2], dimension: 2)
            #expect(throws: InputError.self) { try writer.append([1, 2, 3], dimension: 3) }
            #expect(throws: InputError.self) { try writer.append(nil, dimension: 3) }
        }
    }

    @Test func aFileThatIsNeverWholeLeavesNothingAndHarmsNothing() async throws {
        try await withFolder { folder in
            let path = "\(folder)/v.npy"
            try write(Array("before".utf8), to: path)
            do {
                let writer = try VectorFileWriter(path: path)
                try writer.append([1, 2], dimension: 2)
            }
            #expect(try read(path) == Array("before".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["v.npy"])
        }
    }

    @Test func float64IsRounded() async throws {
        try await withFolder { folder in
            let path = "\(folder)/v.npy"
            let values = [0.1, 1e300, -3]
            try write(Self.head("<f8", 1, 3) + values.flatMap { value in withUnsafeBytes(of: value.bitPattern) { Array($0) } }, to: path)
            #expect(try VectorFile(path: path).row(0) == [0.1, .infinity, -3])
        }
    }

    @Test func whatIsNoSuchFileIsRefused() async throws {
        try await withFolder { folder in
            let path = "\(folder)/v.npy"
            let cases: [(bytes: [UInt8], says: String)] = [
                ([], "is no .npy file"), (Array("id,text\n".utf8), "is no .npy file"),
                (Self.head("<f4", 3, 2) + [UInt8](repeating: 0, count: 23), "is cut off: it says 3 rows, and holds 2"),
                (Self.head("<f4", 3, 2) + [UInt8](repeating: 0, count: 25), "holds 1 bytes more than its 3 rows"),
                (Self.head("<f4", Int.max, 4_096), "is cut off"), (Self.head("<f4", 1 << 62, 4), "is cut off"),
                (Self.head("<f4", 0, 0), "has 0 numbers in a row"), (Self.head("<f4", 1, 4_097), "has 4097 numbers in a row"),
                (Self.head("<i8", 1, 2) + [UInt8](repeating: 0, count: 16), "holds '<i8'"),
            ]
            for (bytes, says) in cases {
                try write(bytes, to: path)
                let error = try #require(Self.refusal(path))
                #expect(error.message.hasPrefix("\(path) \(says)"), "\(error.message)")
                #expect(error.kind == .badData)
            }
            #expect(Self.refusal("\(folder)/missing.npy")?.kind == .usage)
            #expect(Self.refusal(folder)?.kind == .usage)
            #expect(Self.refusal("/dev/null")?.kind == .usage)
        }
    }
}
