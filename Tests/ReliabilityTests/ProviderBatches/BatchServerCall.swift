import AgentQueueModel
import AgentQueueTestSupport
import Foundation

/// A request to a ``BatchServer``, and what it is about.
struct BatchServerCall: Sendable {
    let request: RecordedRequest
    let path: [String]
    let query: [String: String]
    let body: JSONValue?
    let isAnthropic: Bool
    let step: BatchServer.Step

    init(_ request: RecordedRequest) {
        self.request = request
        let parts = request.path.split(separator: "?", maxSplits: 1)
        path = (parts.first ?? "").split(separator: "/").map(String.init)
        var query: [String: String] = [:]
        for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query[sides[0]] = sides.count > 1 ? sides[1].removingPercentEncoding : ""
        }
        self.query = query
        body = try? JSONValue.parse(request.body)
        isAnthropic = path.dropFirst().first == "messages"
        step = Self.step(request.method, Array(path.dropFirst(isAnthropic ? 2 : 1)))
    }

    /// - Parameter path: behind `v1`, or `v1/messages`.
    private static func step(_ method: String, _ path: [String]) -> BatchServer.Step {
        switch (method, path.first, path.count) {
        case ("POST", "files", 1): .upload
        case ("GET", "files", 3): .results
        case ("GET", "files", _): .file
        case ("DELETE", "files", 2): .deleteFile
        case ("POST", "batches", 1): .create
        case ("GET", "batches", 1): .list
        case ("GET", "batches", 2): .poll
        case ("GET", "batches", 3): .results
        case ("POST", "batches", 3): .cancel
        case ("DELETE", "batches", 2): .deleteBatch
        default: .live
        }
    }

    /// The batch's or file's id in the path; nil where there is none.
    var id: String? {
        let rest = path.dropFirst(isAnthropic ? 3 : 2)
        return rest.first
    }

    /// What it signs in with.
    var key: String? { request["x-api-key"] ?? request["authorization"] }

    /// Where the server is, as the client calls it.
    var origin: String { "http://\(request["host"] ?? "")" }

    /// An error in Anthropic's form.
    func refusal(_ status: Int, _ type: String, _ message: String) -> ScriptedAnswer {
        let error: JSONValue = ["type": "error", "error": ["type": .string(type), "message": .string(message)], "request_id": "req_1"]
        return ScriptedAnswer(status, headers: [("request-id", "req_1")], json: error.text)
    }
}
