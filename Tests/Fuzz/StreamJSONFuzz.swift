import AgentQueueModel

/// Whatever a program prints, and wherever it is cut: no crash, and the same objects.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let whole = objects(bytes.isEmpty ? [] : [bytes])
    precondition(whole == objects(bytes.map { [$0] }), "cut everywhere")
    return 0
}

private func objects(_ pieces: [[UInt8]]) -> [JSONValue]? {
    var parser = StreamJSONParser(maxLineBytes: 4_096)
    var objects: [JSONValue] = []
    do {
        for piece in pieces { objects += try parser.feed(piece) }
    } catch {
        return nil
    }
    if let last = parser.finish() { objects.append(last) }
    return objects
}
