import CPlatform
import QueueStore

/// A vector that is compared with many, as the kernels want it.
final class QuantizedQuery {
    /// As it was given.
    let values: [Float]
    /// Its quantised form, valid as long as this object.
    let form: vectors_query
    private let memory: UnsafeMutableRawPointer

    /// Makes one.
    /// - Throws: `VectorError`.
    init(_ values: [Float], dimension: Int) throws(VectorError) {
        guard !values.isEmpty else { throw .empty }
        guard values.count == dimension else { throw .wrongDimension(values.count, expected: dimension) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: vectors_query_bytes(dimension), alignment: 64)
        var form = vectors_query()
        guard vectors_query_make(values, dimension, memory, &form) else {
            memory.deallocate()
            if let index = values.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index) }
            throw .noDirection
        }
        self.values = values
        self.form = form
        self.memory = memory
    }

    deinit { memory.deallocate() }

    /// Brought to length 1.
    var unit: [Float] { values.map { Float(Double($0) / form.norm) } }
}
