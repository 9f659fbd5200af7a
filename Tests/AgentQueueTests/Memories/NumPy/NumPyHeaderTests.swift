import Testing

@testable import AgentQueue

/// Heads of `.npy` files: those that NumPy writes, and those that are broken.
@Suite struct NumPyHeaderTests {
    private static func bytes(_ text: String, version: (UInt8, UInt8) = (1, 0), length: Int? = nil) -> [UInt8] {
        let count = length ?? text.utf8.count
        let lengths = (0..<(version.0 == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        return [0x93] + Array("NUMPY".utf8) + [version.0, version.1] + lengths + Array(text.utf8)
    }

    private static func refusal(_ bytes: [UInt8]) -> String? {
        do throws(NumPyError) {
            _ = try NumPyHeader(bytes)
            return nil
        } catch {
            return error.message
        }
    }

    private static let plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 384), }"

    @Test(arguments: [
        plain, plain + "      \n", "{\"shape\": (3,384), \"fortran_order\": False, \"descr\": \"<f4\"}",
        "{'descr':'<f4','fortran_order':False,'shape':(3L, 384L)}", "{'descr': '=f4', 'fortran_order': False, 'shape': (3, 384,)}",
    ])
    func read(_ text: String) throws {
        for version: (UInt8, UInt8) in [(1, 0), (2, 0), (3, 0)] {
            let bytes = Self.bytes(text, version: version)
            let header = try NumPyHeader(bytes + [1, 2, 3, 4])
            #expect(header == NumPyHeader(element: .float32, rows: 3, columns: 384, dataOffset: bytes.count))
        }
    }

    @Test func float64() throws {
        let header = try NumPyHeader(Self.bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2)}"))
        #expect(header.element == .float64)
        #expect(header.rowBytes == 16)
    }

    @Test func ownHead() throws {
        for (rows, columns) in [(0, 0), (1, 1), (Int.max, 4_096)] {
            let bytes = NumPyHeader.bytes(rows: rows, columns: columns)
            #expect(bytes.count == 128)
            #expect(bytes.last == 0x0A)
            #expect(try NumPyHeader(bytes) == NumPyHeader(element: .float32, rows: rows, columns: columns, dataOffset: 128))
        }
    }

    @Test(arguments: [
        ("{'descr': '<f2', 'fortran_order': False, 'shape': (3, 4)}", "holds '<f2': float32 or float64, little-endian, is needed"),
        ("{'descr': '>f4', 'fortran_order': False, 'shape': (3, 4)}", "holds '>f4'"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (3, 4)}", "holds '|O'"),
        ("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3, 4)}", "holds records, not numbers"),
        ("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4)}", "is in Fortran order"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "has 1 dimensions"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "has 0 dimensions"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5)}", "has 3 dimensions"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}", "has a malformed header"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4)}", "has a malformed header"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}", "has a malformed header"),
        ("{'descr': '<f4', 'fortran_order': False}", "has a malformed header"),
        ("{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}", "has a malformed header"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'shape': (9, 9)}", "has a header with an unexpected 'shape'"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'x\u{1B}': 1}", "has a header with an unexpected 'x\\u{1b}'"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} 1", "has a malformed header"),
        ("{'descr': __import__('os'), 'fortran_order': False, 'shape': (3, 4)}", "has a malformed header"),
        ("{'descr': '<f4\\'', 'fortran_order': False, 'shape': (3, 4)}", "has a malformed header"),
        ("", "has a malformed header"), ("{", "has a malformed header"), ("{'descr'", "has a malformed header"),
    ])
    func refuse(_ text: String, _ says: String) {
        let refusal = Self.refusal(Self.bytes(text))
        #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "read")")
    }

    @Test func refuseBytes() {
        #expect(Self.refusal([]) == "is no .npy file")
        #expect(Self.refusal(Array("PK\u{3}\u{4} a zip file".utf8)) == "is no .npy file")
        #expect(Self.refusal([0x93] + Array("NUMPY".utf8)) == "ends within its header")
        #expect(Self.refusal(Array(Self.bytes(Self.plain).dropLast(10))) == "ends within its header")
        #expect(Self.refusal(Self.bytes(Self.plain, version: (4, 0)))?.hasPrefix("is of version 4.0") == true)
        #expect(Self.refusal(Self.bytes(Self.plain, version: (1, 7)))?.hasPrefix("is of version 1.7") == true)
        #expect(Self.refusal(Self.bytes(Self.plain, version: (2, 0), length: 2_000_000_000))?.hasSuffix("too long") == true)
        #expect(Self.refusal(Self.bytes(Self.plain, length: 60_000)) == "ends within its header")
    }

    @Test("Every beginning of a head, and every head with a byte altered, is read or refused, and never crashes")
    func alter() {
        let whole = Self.bytes(Self.plain)
        for count in whole.indices { #expect(Self.refusal(Array(whole[..<count])) != nil) }
        for index in whole.indices {
            for byte: UInt8 in [0, 1, 0x20, 0x27, 0x28, 0x29, 0x2C, 0x30, 0x5C, 0x7B, 0xFF] {
                var altered = whole
                altered[index] = byte
                _ = Self.refusal(altered)
            }
        }
    }
}
