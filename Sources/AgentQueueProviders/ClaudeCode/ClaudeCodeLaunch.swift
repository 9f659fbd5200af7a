import AgentQueueModel
import Foundation

/// What a process is started with.
struct ClaudeCodeLaunch: Sendable {
    /// The program's absolute path.
    let command: String
    /// Its arguments, and nothing secret among them.
    let arguments: [String]
    /// All of its environment.
    let environment: [String: String]
    /// Where it runs.
    let workingDirectory: String
    /// The file with its system text, which goes once it has been read; nil where it has none.
    let systemFile: String?
    /// Whether it is to answer several jobs.
    let isWarm: Bool
}

/// The program's arguments. Prompts are none of them: anybody on the machine can read a process's arguments.
enum ClaudeCodeArguments {
    /// Makes them.
    /// - Parameters:
    ///   - key: what the process is for.
    ///   - systemFile: the file with the system text; nil where that is empty.
    ///   - isWarm: whether it is to answer several jobs. Then it must know its command `/clear`; else commands are off.
    ///   - isBare: whether to leave out what reads files and logins; only with an API key.
    static func make(_ key: ClaudeCodeKey, systemFile: String?, isWarm: Bool, isBare: Bool) -> [String] {
        var arguments = [
            "--print", "--input-format=stream-json", "--output-format=stream-json", "--verbose", "--include-partial-messages",
            "--model=\(key.model)", "--tools=", "--max-turns=1", "--safe-mode", "--setting-sources=", "--strict-mcp-config",
            "--no-session-persistence",
        ]
        // Given, even where empty: its own system prompt is 30 KB long.
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

/// The environment of the program: what it needs of the worker's, and the settings that make it do one call for one job.
enum ClaudeCodeEnvironment {
    /// Passed on where the worker has them: where things are, how to reach the network, and credentials. Nothing else: a worker's
    /// environment holds other providers' keys.
    private static let allowed: Set<String> = [
        "HOME", "PATH", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "API_TIMEOUT_MS",
        "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS",
        "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS",
    ]
    /// Passed on where the worker calls Claude through another cloud.
    private static let clouds: [String: [String]] = [
        "CLAUDE_CODE_USE_BEDROCK": ["AWS_", "ANTHROPIC_BEDROCK_", "CLAUDE_CODE_SKIP_BEDROCK_"],
        "CLAUDE_CODE_USE_VERTEX": ["GOOGLE_", "GCLOUD_", "CLOUD_ML_", "VERTEX_", "ANTHROPIC_VERTEX_", "CLAUDE_CODE_SKIP_VERTEX_"],
        "CLAUDE_CODE_USE_FOUNDRY": ["AZURE_", "ANTHROPIC_FOUNDRY_", "CLAUDE_CODE_SKIP_FOUNDRY_"],
    ]
    /// Its own retries, second tries and errands off: every retry is the queue's, on record, and each is charged.
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
    /// Words in names of variables that hold secrets.
    private static let secretWords: Set<Substring> = ["SECRET", "TOKEN", "PASSWORD", "KEY"]
    /// Last words of names of variables that say where a secret is, or which, and not what.
    private static let harmlessEnds: Set<Substring> = ["FILE", "ID", "PATH", "URI", "URL"]

    /// Makes it.
    /// - Parameters:
    ///   - worker: the worker's own.
    ///   - apiKey: nil leaves the program to its own login: with a key it would not use it.
    ///   - baseURL: nil is the worker's, or the program's own.
    static func make(worker: [String: String], apiKey: String?, baseURL: String?) -> [String: String] {
        var environment = worker.filter { allowed.contains($0.key) || $0.key.hasPrefix("LC_") }
        for (flag, prefixes) in clouds {
            guard let value = worker[flag], !value.isEmpty, value != "0" else { continue }
            environment[flag] = value
            for (name, value) in worker where prefixes.contains(where: name.hasPrefix) { environment[name] = value }
        }
        environment.merge(settings) { $1 }
        // Its own limit is ten minutes; a job's is the queue's to set.
        if environment["API_TIMEOUT_MS"] == nil { environment["API_TIMEOUT_MS"] = "3600000" }
        if let apiKey { environment["ANTHROPIC_API_KEY"] = apiKey }
        if let baseURL { environment["ANTHROPIC_BASE_URL"] = baseURL }
        return environment
    }

    /// What no message may repeat: keys, tokens, and passwords inside addresses.
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

    /// `user:password` of an address, and the password as it is and as it is meant.
    private static func passwords(in address: String) -> [String] {
        guard let credentials = BaseURL(address).credentials, !credentials.isEmpty else { return [] }
        let password = String(credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).last ?? "")
        return [credentials, password, password.removingPercentEncoding ?? password].filter { !$0.isEmpty }
    }
}
