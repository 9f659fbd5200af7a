import VectorMemory

/// Queries from JSONL, `{"text": "…"}` a line, in two passes: every line is validated before the first is answered. Memory is constant.
public struct BulkQueries: Sendable {
    let input: BulkInput
    let template: MemoryQuery

    /// Makes a run.
    /// - Parameter template: what holds where a line says nothing.
    public init(input: BulkInput, template: MemoryQuery) {
        self.input = input
        self.template = template
    }

    /// The first pass: validates every line.
    /// - Returns: how many queries there are.
    /// - Throws: `InputError`: `line N: …`.
    public func check() throws(InputError) -> Int {
        var reader = LineReader(input)
        var block = LineBlock()
        var count = 0
        while try reader.next(&block) {
            for place in block.lines {
                _ = try query(in: block, at: place)
                count += 1
            }
        }
        return count
    }

    /// The second pass: hands the queries on, so many at a time, in their order.
    /// - Throws: `InputError` where the input is no longer what was checked; what `body` throws.
    public func forEachSlice(_ size: Int, _ body: ([MemoryQuery]) async throws -> Void) async throws {
        guard !input.hasChanged else { throw InputError("\(input.name) was changed after it was checked", exit: .badData) }
        var reader = LineReader(input)
        var block = LineBlock()
        var slice: [MemoryQuery] = []
        while try reader.next(&block) {
            for place in block.lines {
                slice.append(try query(in: block, at: place))
                guard slice.count >= size else { continue }
                try await body(slice)
                slice.removeAll(keepingCapacity: true)
            }
        }
        if !slice.isEmpty { try await body(slice) }
    }

    private func query(in block: LineBlock, at place: LineBlock.Line) throws(InputError) -> MemoryQuery {
        do throws(InputError) {
            guard !place.isTooLong else { throw LineBlock.tooLong }
            return try block.withBytes(of: place) { (bytes) throws(InputError) in try QueryLine(bytes, template: template).query }
        } catch {
            throw error.inLine(place.number)
        }
    }
}
