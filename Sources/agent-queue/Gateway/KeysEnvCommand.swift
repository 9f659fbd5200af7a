import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Glibc

/// `agent-queue keys env`
struct KeysEnvCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Print the environment that points SDKs at the gateway here.",
        discussion: """
            Prints four lines for a shell: the address and the key 'local' for programs that use the SDKs of OpenAI and Anthropic. The \
            address is serve.public_url, or that of the gateway that runs, or serve.listen.

              eval "$(agent-queue keys env)"
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let local = LocalKey(database: session.settings.database)
        guard let key = try local.read() else {
            throw CommandFailure(
                .unavailable,
                "there is no key file \(local.path); start 'agent-queue serve' once, or create a key with 'agent-queue keys create'")
        }
        let serve = session.settings.serve
        // Without a database, no gateway has ever run.
        let mayRun = serve.publicURL == nil && access(session.settings.database, F_OK) == 0
        let running = mayRun ? try await session.withStore { try $0.gateway.address() } : nil
        let listen = try running.map { address throws(InvalidText) in try ListenAddress(address) }
        guard let address = listen.map({ GatewayAddress(serve, host: $0.host, port: $0.port) }) ?? GatewayAddress(serve) else {
            throw CommandFailure(
                .usage,
                "no gateway runs, and serve.listen names no fixed port; start 'agent-queue serve', or set serve.public_url to the address that clients use"
            )
        }
        let variables = address.variables(key: key)
        try format.print(
            .object(variables.map { .init($0.name, .string($0.value)) }), lines: variables.map { "export \($0.name)=\($0.value)" })
    }
}

/// The address that clients use.
struct GatewayAddress {
    /// Such as `http://127.0.0.1:8484`, without a trailing slash.
    let url: String

    /// The configured one; nil if only the running gateway knows it.
    init?(_ serve: ServeSettings) {
        if let url = serve.publicURL {
            self.init(url: url)
        } else {
            guard let listen = serve.listen, listen.port != 0 else { return nil }
            self.init(serve, host: listen.host, port: listen.port)
        }
    }

    /// - Parameter port: The port that is really listened on.
    init(_ serve: ServeSettings, host: String, port: Int) {
        // A server that listens on all addresses is reached at this machine's own.
        let host = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        self.init(url: "\(serve.tls.certificate == nil ? "http" : "https")://\(ListenAddress(host: host, port: port))")
    }

    private init(url: String) { self.url = url }

    /// What the SDKs of OpenAI and Anthropic read.
    func variables(key: String) -> [(name: String, value: String)] {
        [
            ("OPENAI_BASE_URL", "\(url)/v1"), ("OPENAI_API_KEY", key), ("ANTHROPIC_BASE_URL", url), ("ANTHROPIC_API_KEY", key),
        ]
    }
}
