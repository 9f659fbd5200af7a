import AgentQueueModel
import AgentQueueTestSupport
import Synchronization

@testable import AgentQueueProviders

/// 2026-11-18, wall clock, ms.
let batchTestNow: Int64 = 1_795_000_000_000

/// Lends a provider in front of a scripted server, to send batches to.
func withBatches<Value>(
    key: String? = nil, api: OpenAIAPI = .automatic, capacity: BatchCapacity = OpenAIProvider.usualBatchCapacity, query: String = "",
    maxEmbedInputs: Int = 2_048, answers: Script, _ body: (OpenAIProvider, ScriptedServer) async throws -> Value
) async throws -> Value {
    try await ScriptedServer.withServer(answers) { server in
        try await withTransport(.init(maxRetries: 0)) { transport in
            let provider = OpenAIProvider(
                name: "scripted", baseURL: "\(server.url)/v1\(query)", apiKey: key, maxEmbedInputs: maxEmbedInputs, api: api,
                batchCapacity: capacity, transport: transport, now: { batchTestNow })
            return try await body(provider, server)
        }
    }
}

/// A batch as a server describes it, some members replaced.
func openAIBatch(_ id: String = "batch_1", _ members: JSONValue = [:]) -> String {
    let usual: JSONValue = [
        "id": .string(id), "object": "batch", "endpoint": "/v1/chat/completions", "errors": .null, "input_file_id": "file-in",
        "completion_window": "24h", "status": "validating", "output_file_id": .null, "error_file_id": .null,
        "created_at": 1_795_000_000, "expires_at": 1_795_086_400, "request_counts": ["total": 0, "completed": 0, "failed": 0],
        "metadata": .null,
    ]
    let replaced = members.members ?? []
    let kept = (usual.members ?? []).filter { member in !replaced.contains { $0.key == member.key } }
    return JSONValue.object(kept + replaced).text
}

/// A server that takes files and makes batches of them.
let takesBatches = Script { takeBatches($0) }

/// What that server answers.
@Sendable func takeBatches(_ request: RecordedRequest) -> ScriptedAnswer {
    switch (request.method, request.path) {
    case ("POST", "/v1/files"): ScriptedAnswer(json: #"{"id":"file-in","object":"file","purpose":"batch","status":"processed"}"#)
    case ("POST", "/v1/batches"): ScriptedAnswer(json: openAIBatch())
    case ("DELETE", _): ScriptedAnswer(json: #"{"id":"file-in","object":"file","deleted":true}"#)
    default: ScriptedAnswer(404, json: "{}")
    }
}

/// A chat of one message, as an item.
func item(_ id: String, _ text: String = "How are you today?", _ members: JSONValue = [:]) -> BatchItem {
    let messages = JSONValue.Member("messages", [["role": "user", "content": .string(text)]])
    return BatchItem(
        id: id, request: ModelRequest(kind: .generate, target: chat.target, body: .object([messages] + (members.members ?? []))))
}

/// Why there is no value; nil where there is one.
func reason<Value>(_ result: Result<Value, ModelFailure>) -> ModelFailure? {
    if case .failure(let failure) = result { failure } else { nil }
}

/// The parts of a multipart body: each one's headers and content, by its name.
func parts(_ request: RecordedRequest) -> [String: (headers: String, content: String)] {
    guard let boundary = request["content-type"]?.split(separator: "boundary=").last else { return [:] }
    let whole = "\r\n" + request.text
    var parts: [String: (headers: String, content: String)] = [:]
    let pieces = whole.components(separatedBy: "\r\n--\(boundary)")
    guard pieces.first == "", pieces.last == "--\r\n" else { return [:] }
    for piece in pieces.dropFirst().dropLast() {
        guard piece.hasPrefix("\r\n"), let end = piece.firstRange(of: "\r\n\r\n") else { return [:] }
        let headers = String(piece[..<end.lowerBound].dropFirst())
        guard let name = headers.firstRange(of: "; name=\"") else { return [:] }
        parts[String(headers[name.upperBound...].prefix { $0 != "\"" })] = (headers, String(piece[end.upperBound...]))
    }
    return parts
}

extension String {
    fileprivate func components(separatedBy mark: String) -> [String] {
        split(separator: mark, omittingEmptySubsequences: false).map(String.init)
    }
}

/// The slices that a reader has handed on.
final class Slices: Sendable {
    private let slices = Mutex<[[BatchItemResult]]>([])
    let came = Counter()

    func take(_ slice: [BatchItemResult]) {
        slices.withLock { $0.append(slice) }
        came.add(slice.count)
    }

    var sizes: [Int] { slices.withLock { $0.map(\.count) } }
    var all: [BatchItemResult] { slices.withLock { $0.flatMap { $0 } } }
    subscript(id: String) -> Outcome? { all.first { $0.id == id }?.outcome }
}
