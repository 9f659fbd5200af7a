import AgentQueueModel

/// `serve:` — the HTTP gateway for programs that speak the APIs of OpenAI or Anthropic.
package struct ServeSettings: Equatable, Sendable {
    /// The address to listen on; nil listens on ``socket`` alone. Default `127.0.0.1:8484`.
    package var listen: ListenAddress? = .standard
    /// The absolute path of a Unix socket to listen on as well. Default none.
    package var socket: String?
    /// The address by which clients reach the gateway through a proxy, without a trailing slash. Default none.
    package var publicURL: String?
    /// Further values of the Host header that are accepted, each with or without a port.
    package var hosts: [String] = []
    /// Web origins whose pages may call, such as `https://app.example`.
    package var origins: [String] = []
    /// The certificate and key for TLS; both nil without TLS.
    package var tls = ServeTLSSettings()
    /// Whether plain HTTP is allowed on an address that other machines reach. Default false.
    package var plainHTTP = false
    /// Calls in flight in the gateway's own worker. Default 64, 1 to 1024.
    package var concurrency = 64
    /// How long a call waits for a limit, a breaker or a pause. Default 10 min, 0 to 24 h.
    package var maxWait: Duration = .seconds(600)
    /// Requests that wait at once; more are turned away. Default 10,000, 1 to 1 million.
    package var maxWaiting = 10_000
    /// The largest body of a request. Default and most: 32 MiB, which is what a job may hold. At least 1 KiB.
    package var maxBody: Int64 = 32 << 20
    /// Open connections. Default 1,024, 1 to 100,000.
    package var maxConnections = 1024
    /// Memory for streamed answers, all together; beyond it viewers read from the database. Default 256 MiB, 1 MiB to 1 TiB.
    package var streamMemory: Int64 = 256 << 20
    /// What becomes of a job whose client left. Default `auto`.
    package var onDisconnect = DisconnectPolicy.auto
    /// What becomes of a request's parts that its target cannot be asked for. Default `refuse`.
    package var unsupported = UnsupportedPolicy.refuse
    /// What is sent while a stream of OpenAI's form waits. Default `comment`.
    package var keepalive = KeepaliveForm.comment
    /// The longest silence on a stream. Default 5 s, 1 to 60 s.
    package var ping: Duration = .seconds(5)
    /// The addresses of proxies whose `X-Forwarded-*` headers are believed.
    package var trustedProxies: [AddressRange] = []
    /// How long a job that the cache answered is kept. Default a day, 0 to 36500 days.
    package var keepCached: Duration = .seconds(86_400)
    /// How long an `Idempotency-Key` is known. Default 24 h, 1 min to 30 days.
    package var idempotency: Duration = .seconds(86_400)
    /// How long after its end a job can be attached to by a client that did not get its answer. Default 10 min, 0 to 24 h.
    package var attach: Duration = .seconds(600)
    /// Other names of targets, in the order of the file; see ``target(ofAlias:)``.
    package var models: [ModelAlias] = []
    /// Whether calls are answered from the cache, unless a key or a request says otherwise. Default false.
    package var cache = false
    /// Whose cached answers serve a call, unless its key says otherwise. Default `shared`.
    package var cacheScope = CacheScope.shared
    /// Who may read `/metrics`. Default `key`.
    package var metrics = MetricsAccess.key

    package init() {}

    /// The target of the first alias that fits the model's name; nil if none does.
    package func target(ofAlias model: String) -> String? {
        models.first { $0.pattern.matches(model) }?.target
    }
}

/// `serve.tls:` — PEM files.
package struct ServeTLSSettings: Equatable, Sendable {
    /// The absolute path of the certificate and those that lead to its issuer.
    package var certificate: String?
    /// The absolute path of its private key; nil if ``certificate`` holds it too.
    package var key: String?

    package init() {}
}

/// `unsupported:` — what becomes of parts of a request that its target cannot be asked for.
package enum UnsupportedPolicy: String, CaseIterable, Sendable {
    /// The request is refused.
    case refuse
    /// They are left out, and the answer's headers name them.
    case drop
}

/// `metrics:` — who may read the figures for monitoring.
package enum MetricsAccess: String, CaseIterable, Sendable {
    /// Whoever has a key with the scope `metrics`.
    case key
    /// Everybody on this machine.
    case open
}

/// `keepalive:` — what keeps a silent stream of OpenAI's form open.
package enum KeepaliveForm: String, CaseIterable, Sendable {
    /// A comment, which every client by the standard ignores.
    case comment
    /// A chunk with an empty delta, for clients that take no comments.
    case chunk
}

/// One entry of `serve.models:` — a name, or a pattern of names, and the target that answers for it.
package struct ModelAlias: Equatable, Sendable {
    package let pattern: NamePattern
    /// `provider/model`.
    package let target: String

    package init(pattern: NamePattern, target: String) {
        self.pattern = pattern
        self.target = target
    }
}

/// Every key of the section.
extension ServeSettings {
    static let keys: [Setting<Settings>] = [
        Setting("serve.listen", \.serve.listen, .listenAddress),
        Setting("serve.socket", \.serve.socket, .optional(.path)),
        Setting("serve.public_url", \.serve.publicURL, .optional(.publicURL)),
        Setting("serve.hosts", \.serve.hosts, .list(of: .host)),
        Setting("serve.origins", \.serve.origins, .list(of: .webOrigin)),
        Setting("serve.tls.certificate", \.serve.tls.certificate, .optional(.path)),
        Setting("serve.tls.key", \.serve.tls.key, .optional(.path)),
        Setting("serve.plain_http", \.serve.plainHTTP, .flag),
        Setting("serve.concurrency", \.serve.concurrency, .integer(1...1024)),
        Setting("serve.max_wait", \.serve.maxWait, .duration(.zero ... .hours(24))),
        Setting("serve.max_waiting", \.serve.maxWaiting, .integer(1...1_000_000)),
        Setting("serve.max_body", \.serve.maxBody, .bytes((1 << 10)...Int64(JobLimits.maxRequestBytes))),
        Setting("serve.max_connections", \.serve.maxConnections, .integer(1...100_000)),
        Setting("serve.stream_memory", \.serve.streamMemory, .bytes((1 << 20)...(1 << 40))),
        Setting("serve.on_disconnect", \.serve.onDisconnect, .choice()),
        Setting("serve.unsupported", \.serve.unsupported, .choice()),
        Setting("serve.keepalive", \.serve.keepalive, .choice()),
        Setting("serve.ping", \.serve.ping, .duration(.seconds(1) ... .seconds(60))),
        Setting("serve.trusted_proxies", \.serve.trustedProxies, .list(of: .addressRange)),
        Setting("serve.keep_cached", \.serve.keepCached, .duration(.zero ... .days(36_500))),
        Setting("serve.idempotency", \.serve.idempotency, .duration(.seconds(60) ... .days(30))),
        Setting("serve.attach", \.serve.attach, .duration(.zero ... .hours(24))),
        Setting("serve.models", \.serve.models, .modelAliases),
        Setting("serve.cache", \.serve.cache, .flag),
        Setting("serve.cache_scope", \.serve.cacheScope, .choice()),
        Setting("serve.metrics", \.serve.metrics, .choice()),
    ]
}

extension SettingKind where Value == [ModelAlias] {
    /// Names or patterns, and the target of each.
    static let modelAliases = Self { (raw) throws(InvalidText) in
        if raw.isNull { return [] }
        var aliases: [ModelAlias] = []
        for member in try SettingKind<[JSONValue.Member]>.object.parse(raw) {
            guard case .string(let target) = member.value else {
                throw InvalidText("\(InvalidText.quoted(member.key)) has no target (provider/model)")
            }
            aliases.append(ModelAlias(pattern: try NamePattern(member.key), target: try TargetName(target).description))
        }
        return aliases
    } show: { aliases in
        let pairs = aliases.map { "\(JSONValue.string($0.pattern.text).text): \($0.target)" }
        return pairs.isEmpty ? "{}" : "{ \(pairs.joined(separator: ", ")) }"
    }
}

extension Settings {
    /// Values of `serve:` that do not go together.
    func serveConflicts() -> [SettingsError] {
        func conflict(_ key: String, _ message: String) -> SettingsError {
            SettingsError(origin: origin(of: key), key: key, message: message)
        }
        var conflicts: [SettingsError] = []
        if serve.listen == nil, serve.socket == nil {
            conflicts.append(conflict("serve.listen", "is none, so serve.socket must name a socket to listen on"))
        }
        if let address = serve.listen, !address.isLoopback, serve.tls.certificate == nil, !serve.plainHTTP {
            conflicts.append(
                conflict(
                    "serve.listen",
                    "\(address) can be reached from other machines; set serve.tls (certificate and key), or serve.plain_http: true to "
                        + "send keys and prompts unencrypted"))
        }
        if serve.tls.key != nil, serve.tls.certificate == nil {
            conflicts.append(conflict("serve.tls.key", "needs its certificate; set serve.tls.certificate too"))
        }
        if let address = serve.listen, !address.isLoopback, serve.metrics == .open {
            conflicts.append(
                conflict("serve.metrics", "is open, but \(address) can be reached from other machines; set it to key, and send a key"))
        }
        // The size of `sun_path`, less the zero at its end.
        if let socket = serve.socket, socket.utf8.count > 107 {
            conflicts.append(conflict("serve.socket", "is \(socket.utf8.count) bytes long (at most 107, a limit of the system)"))
        }
        for alias in serve.models {
            if let message = unknownProvider(in: alias.target) { conflicts.append(conflict("serve.models", message)) }
        }
        return conflicts
    }
}
