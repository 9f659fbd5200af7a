import NIOHTTP1

/// One HTTP answer, whole, whatever its status.
public struct HTTPAnswer: Sendable, Equatable {
    /// 200, 404 and so on.
    public var status: Int
    /// Headers, looked up without regard to case.
    public var headers: HTTPHeaders
    /// The body as it came.
    public var body: [UInt8]

    /// Makes an answer.
    public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Whether it is good, and a stream of events.
    var isEventStream: Bool {
        guard (200..<300).contains(status), let type = headers.first(name: "content-type") else { return false }
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return essence.lowercased() == "text/event-stream"
    }
}
