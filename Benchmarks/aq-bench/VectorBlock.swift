import ArgumentParser
import CPlatform
import QueueStore
import VectorMemory

/// Rows of a file as a block of entries: each a memory of its own, with the row as its id.
struct VectorBlock {
    private var heads: [UInt8] = []
    private var codes: [UInt8]

    init(_ vectors: VectorFile, _ rows: Range<Int>) throws {
        let dimension = vectors.dimension
        codes = [UInt8](repeating: 0, count: rows.count * dimension)
        heads.reserveCapacity(rows.count * MemoryEntry.byteCount)
        for (place, row) in rows.enumerated() {
            var form = vectors_quantization()
            let isVector = codes.withUnsafeMutableBufferPointer { codes in
                codes.baseAddress.map { vectors_quantize(vectors.pointer(row), dimension, $0 + place * dimension, &form) } ?? false
            }
            guard isVector else { throw ValidationError("row \(row) has no direction") }
            for number in [Int64(row + 1), Int64(row), .max, 1_700_000_000_000] { add(number) }
            for value in [Float(0.5), form.scale, form.error, form.norm] { add(value) }
        }
    }

    private mutating func add<Value>(_ value: Value) { withUnsafeBytes(of: value) { heads.append(contentsOf: $0) } }

    /// Lets an index take it in.
    func append(to index: VectorIndex) throws {
        try heads.withUnsafeBytes { heads in
            try codes.withUnsafeBytes { codes in try index.append(MemoryBlock(heads: heads, codes: codes)) }
        }
    }
}
