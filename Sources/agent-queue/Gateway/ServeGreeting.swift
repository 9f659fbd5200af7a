import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings

/// What `serve` prints once it listens: on a terminal the lines to paste into another shell, else where the key is. The key itself goes to
/// a terminal only, never to a log.
struct ServeGreeting: Sendable {
    private let serve: ServeSettings
    private let key: LocalKey
    private let asksForKeys: Bool

    init(_ serve: ServeSettings, key: LocalKey, asksForKeys: Bool) {
        self.serve = serve
        self.key = key
        self.asksForKeys = asksForKeys
    }

    /// - Parameter listen: The address with the port that was really taken; nil for a socket alone.
    func print(_ listen: ListenAddress?) {
        var output = Output()
        // Nobody may be reading; the service goes on.
        try? output.lines(lines(listen, isTerminal: Screen.output.isTerminal))
        try? output.flush()
    }

    func lines(_ listen: ListenAddress?, isTerminal: Bool) -> [String] {
        guard let listen else { return ["listening on the socket \(DisplayText.line(serve.socket ?? "")); it needs no key"] }
        let address = GatewayAddress(serve, host: listen.host, port: listen.port)
        let socket = serve.socket.map { " and on the socket \(DisplayText.line($0))" } ?? ""
        let listening = "listening on \(address.url)\(socket)"
        let known = knownKey
        guard isTerminal, let text = known.text else { return ["\(listening); \(known.words)"] }
        let clients = serve.publicURL == nil ? address : GatewayAddress(serve) ?? address
        let exports = clients.variables(key: text).map { "  export \($0.name)=\($0.value)" }
        return ["\(listening); for programs in another shell:", ""] + exports + [""]
    }

    /// The text of the key, and words about it for a log.
    private var knownKey: (text: String?, words: String) {
        guard asksForKeys else { return ("unused", "no key is needed (--no-auth)") }
        do throws(InputError) {
            guard let text = try key.read() else {
                return (nil, "clients need a key; create one with 'agent-queue keys create'")
            }
            return (text, "the key is in \(DisplayText.line(key.path))")
        } catch {
            return (nil, error.message)
        }
    }
}
