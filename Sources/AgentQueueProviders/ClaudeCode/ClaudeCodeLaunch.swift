import AgentQueueModel
import Foundation

/// How a process is started.
struct ClaudeCodeLaunch: Sendable {
    /// The program's absolute path.
    let command: String
    /// Its arguments. Nothing in them is secret.
    let arguments: [String]
    /// Its whole environment.
    let environment: [String: String]
    /// Its working directory.
    let workingDirectory: String
    /// The file with its system text, deleted once it has been read; nil for none.
    let systemFile: String?
    /// Whether it will answer several jobs.
    let isWarm: Bool
}

/// The program's arguments. Prompts are never among them: every user of the machine can read the arguments of a process.
enum ClaudeCodeArguments {
    /// Makes them.
    /// - Parameters:
    ///   - key: what the process is for.
    ///   - systemFile: the file with the system text; nil if that is empty.
    ///   - isWarm: whether it will answer several jobs. Then it needs its `/clear` command; otherwise commands are off.
    ///   - isBare: whether to skip reading files and logins; only with an API key.
    static func make(_ key: ClaudeCodeKey, systemFile: String?, isWarm: Bool, isBare: Bool) -> [String] {
        var arguments = [
            "--print", "--input-format=stream-json", "--output-format=stream-json", "--verbose", "--include-partial-messages",
            "--model=\(key.model)", "--tools=", "--max-turns=1", "--safe-mode", "--setting-sources=", "--strict-mcp-config",
            "--no-session-persistence",
        ]
        // Given even if empty, because the program's own system prompt is 30 KB long.
        arguments.append(systemFile.map { "--system-prompt-file=\($0)" } ?? "--system-prompt=")
        if let schema = key.schema { arguments.append("--json-schema=\(schema)") }
        if let effort = key.effort { arguments.append("--effort=\(effort)") }
        if let thinking = key.thinking { arguments.append("--thinking=\(thinking)") }
        if let tokens = key.maxThinkingTokens { arguments.append("--max-thinking-tokens=\(tokens)") }
        if !isWarm { arguments.append("--disable-slash-commands") }
        if isBare { arguments.append("--bare") }
        return arguments
    }
}

/// The program's environment: what it needs from the worker's, and settings that make it do one call for one job.
enum ClaudeCodeEnvironment {
    /// Passed on from the worker: where things are, how to reach the network, and credentials. Nothing else, because a worker's environment
    /// holds other providers' keys.
    private static let allowed: Set<String> = [
        "HOME", "PATH", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "API_TIMEOUT_MS",
        "CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY",
        "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS",
        "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS",
    ]
    /// Passed on if the worker calls Claude through another cloud.
    private static let clouds: [String: [String]] = [
        "CLAUDE_CODE_USE_BEDROCK": ["AWS_", "ANTHROPIC_BEDROCK_", "CLAUDE_CODE_SKIP_BEDROCK_"],
        "CLAUDE_CODE_USE_VERTEX": ["GOOGLE_", "GCLOUD_", "CLOUD_ML_", "VERTEX_", "ANTHROPIC_VERTEX_", "CLAUDE_CODE_SKIP_VERTEX_"],
        "CLAUDE_CODE_USE_FOUNDRY": ["AZURE_", "ANTHROPIC_FOUNDRY_", "CLAUDE_CODE_SKIP_FOUNDRY_"],
    ]
    /// Turns off its own retries, fallbacks and background requests: every retry is the queue's, on record, and each call is charged.
    private static let settings = [
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    ]
    /// Words in the names of variables that hold secrets.
    private static let secretWords: Set<Substring> = ["SECRET", "TOKEN", "PASSWORD", "KEY"]
    /// Last words in the names of variables that say where or which a secret is, not what it is.
    private static let harmlessEnds: Set<Substring> = ["FILE", "ID", "PATH", "URI", "URL"]

    /// Makes it.
    /// - Parameters:
    ///   - worker: the worker's own environment.
    ///   - apiKey: nil to use the program's own login, which it would ignore with a key.
    ///   - baseURL: nil for the worker's, or the program's own.
    static func make(worker: [String: String], apiKey: String?, baseURL: String?) -> [String: String] {
        var environment = worker.filter { allowed.contains($0.key) || $0.key.hasPrefix("LC_") }
        for (flag, prefixes) in clouds {
            guard let value = worker[flag], !value.isEmpty, value != "0" else { continue }
            environment[flag] = value
            for (name, value) in worker where prefixes.contains(where: name.hasPrefix) { environment[name] = value }
        }
        environment.merge(settings) { $1 }
        // The program's own limit is ten minutes. The queue sets the limit of a job.
        if environment["API_TIMEOUT_MS"] == nil { environment["API_TIMEOUT_MS"] = "3600000" }
        if let apiKey { environment["ANTHROPIC_API_KEY"] = apiKey }
        if let baseURL { environment["ANTHROPIC_BASE_URL"] = baseURL }
        return environment
    }

    /// What no message may repeat: keys, tokens, and passwords in addresses.
    static func secrets(in environment: [String: String]) -> [String] {
        var secrets: Set<String> = []
        for (name, value) in environment where !value.isEmpty {
            let words = name.split(separator: "_")
            if name == "ANTHROPIC_CUSTOM_HEADERS" || !secretWords.isDisjoint(with: words) && !harmlessEnds.contains(words.last ?? "") {
                secrets.insert(value)
            }
            if value.contains("://") {
                secrets.formUnion(passwords(in: value))
            } else if name.uppercased().hasSuffix("_PROXY") {
                secrets.formUnion(passwords(in: "http://\(value)"))
            }
        }
        return secrets.sorted()
    }

    /// `user:password` of an address, and the password both encoded and decoded.
    private static func passwords(in address: String) -> [String] {
        guard let credentials = BaseURL(address).credentials, !credentials.isEmpty else { return [] }
        let password = String(credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).last ?? "")
        return [credentials, password, password.removingPercentEncoding ?? password].filter { !$0.isEmpty }
    }
}
