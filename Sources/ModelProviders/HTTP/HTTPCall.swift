import NIOHTTP1

/// One HTTP request.
public struct HTTPCall: Sendable {
    /// `GET`, `POST` and so on.
    public var method: String
    /// Where to, absolute.
    public var url: String
    /// Headers; `Host` and `Content-Length` come by themselves.
    public var headers: HTTPHeaders
    /// The body; nil for none.
    public var body: [UInt8]?

    /// Makes a request.
    public init(method: String, url: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}
