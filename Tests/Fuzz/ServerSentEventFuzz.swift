/// Whatever a stream holds, and wherever it is cut: no crash, and the same events.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let whole = events(bytes.isEmpty ? [] : [bytes])
    precondition(whole == events(bytes.map { [$0] }), "cut everywhere")
    let half = bytes.count / 2
    precondition(whole == events([Array(bytes[..<half]), [], Array(bytes[half...])]), "cut in half")
    return 0
}

private func events(_ pieces: [[UInt8]]) -> [ServerSentEvent]? {
    var parser = ServerSentEventParser(maxEventBytes: 4_096)
    var events: [ServerSentEvent] = []
    do {
        for piece in pieces { events += try parser.feed(piece) }
    } catch {
        // How much of a stream that is too long was read depends on the cuts.
        return nil
    }
    return events + parser.finish()
}
