import NIOHTTP1

/// One HTTP request.
package struct HTTPCall: Sendable {
    /// `GET`, `POST` and so on.
    package var method: String
    /// The absolute URL.
    package var url: String
    /// The headers. `Host` and `Content-Length` are added.
    package var headers: HTTPHeaders
    /// The body; nil for none.
    package var body: [UInt8]?

    /// Makes a request.
    package init(method: String, url: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// One complete HTTP answer, whatever its status.
package struct HTTPAnswer: Sendable, Equatable {
    /// 200, 404 and so on.
    package var status: Int
    /// Its headers; names are compared without regard to case.
    package var headers: HTTPHeaders
    /// The body as it came.
    package var body: [UInt8]

    /// Makes an answer.
    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Whether it is a good answer that is a stream of events.
    var isEventStream: Bool {
        guard (200..<300).contains(status), let type = headers.first(name: "content-type") else { return false }
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return essence.lowercased() == "text/event-stream"
    }
}

/// How long a provider has to answer, with all its calls.
package struct CallLimit: Sendable {
    /// In ms.
    let timeout: Int64
    /// When it ends.
    let deadline: ContinuousClock.Instant

    /// Whether this is for the calls of a check, which may go to an endpoint that does not exist. A server that refuses one may leave the
    /// body unread and take it for the next request, so each gets a connection that is closed after it.
    let isCheck: Bool

    /// Starts now. Limited to ten years, so that the sum stays in range.
    init(timeout: Int64, isCheck: Bool = false) {
        self.timeout = timeout
        self.isCheck = isCheck
        deadline = .now + .milliseconds(min(max(0, timeout), 10 * 366 * 86_400_000))
    }
}
