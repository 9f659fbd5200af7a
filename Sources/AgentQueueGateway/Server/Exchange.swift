import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import HTTPTypes
import Synchronization

/// One request and its answer. The request has passed the checks that all go through: host and origin, key and scope, method and
/// content type.
///
/// A handler reads the body at most once, and answers through ``response``. What it throws before the answer begins becomes the answer (a
/// `GatewayError` as it is); what it throws afterwards closes the connection without the last chunk, so that the client knows the answer
/// is not whole. An answer that is begun and not finished is cut in the same way.
struct Exchange: Sendable {
    let head: RequestHead
    let response: ResponseWriter
    let presence: ClientPresence
    /// What the log says about the exchange, apart from what the server sees itself.
    let notes: ExchangeNotes
    let source: RequestBodySource

    /// Reads the whole body. Its memory counts until the value is released, so release it before a long wait.
    /// - Throws: `GatewayError` if it is too large, too slow or broken off, or if too many bodies are in memory.
    func body() async throws -> HeldBody { try await source.whole(response) }

    /// Answers with JSON.
    func send(_ value: JSONValue) async throws { try await response.send(200, .json, body: value.utf8(sorted: false)) }
}

/// What a client asks for.
struct RequestHead: Sendable {
    let id: RequestID
    let method: HTTPRequest.Method
    /// The path below the prefix of `serve.public_url`, without the query.
    let path: String
    /// The variable parts of the path by name: `id` of `/v1/responses/{id}`.
    let parameters: [String: String]
    /// The query's members in order, decoded.
    let query: [(name: String, value: String)]
    let headers: HTTPFields
    /// Whose errors, and whose form of answers that both APIs have, the client reads.
    let flavour: APIFlavour
    let caller: Caller
    /// The address by which the client has reached the gateway, such as `http://127.0.0.1:8484`; nil on a Unix socket.
    let address: String?
    let arrivedAt: ContinuousClock.Instant

    /// The value of a header by its lower-case name; several of a name are joined with commas.
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// Who sends a request.
struct Caller: Sendable, Equatable {
    /// The key's id; 0 where none is asked for (a Unix socket, `--no-auth`).
    let keyID: Int64
    let name: String
    let scopes: Set<KeyScope>
    /// The targets that it may use, as globs; nil for all.
    let targets: [String]?
    /// The queue of its jobs.
    let queue: String
    /// Whether its calls use the cache; nil for what the configuration says.
    let cache: Bool?
    let onDisconnect: DisconnectPolicy?
    /// The most urgent priority that it may ask for, 1 to 9; nil for any.
    let bestPriority: Int?
    let hasLimits: Bool

    init(_ key: APIKey) {
        keyID = key.id
        name = key.name
        scopes = key.scopes
        targets = key.targets
        queue = key.queue
        cache = key.cache
        onDisconnect = key.onDisconnect
        bestPriority = key.bestPriority
        hasLimits = !key.limits.isEmpty
    }

    private init(local name: String) {
        self.name = name
        keyID = 0
        scopes = Set(KeyScope.allCases)
        queue = APIKey.queue(of: name)
        (targets, cache, onDisconnect, bestPriority) = (nil, nil, nil, nil)
        hasLimits = false
    }

    /// The caller on a socket that asks for no key: whoever can open it has the database anyway.
    static let local = Caller(local: "local")
}

/// A route of the gateway and what answers it. All routes stand in one table.
struct Route: Sendable {
    /// What a request must carry.
    enum Content: Sendable {
        case none
        /// `application/json`.
        case json
        /// `multipart/form-data`.
        case form
    }

    let method: HTTPRequest.Method
    /// Segments in braces are variable: `/v1/responses/{id}`. Each stands for one segment, or for the rest of the path where it is last
    /// and named with dots: `/v1/models/{id...}`.
    let path: String
    /// What the key must allow; nil for a route without a key.
    let scope: KeyScope?
    let content: Content
    let handler: @Sendable (Exchange) async throws -> Void

    init(
        _ method: HTTPRequest.Method, _ path: String, scope: KeyScope?, content: Content = .none,
        handler: @escaping @Sendable (Exchange) async throws -> Void
    ) {
        self.method = method
        self.path = path
        self.scope = scope
        self.content = content
        self.handler = handler
    }
}

/// What the log line of an exchange says beside what the server sees itself.
final class ExchangeNotes: Sendable {
    struct Values: Sendable, Equatable {
        var job: Int64?
        var target: String?
        var cache: String?
        var wait: Duration?
        /// Why it was attached to an earlier request; nil if it was not.
        var attached: Attachment?
        /// How long the calls took that were made for it; nil if none was.
        var call: Duration?
        /// How it ended, if that is more than the status says, such as `left`.
        var outcome: String?
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func update(_ change: (inout Values) -> Void) { state.withLock { change(&$0) } }
}
