import AgentQueueModel

extension Settings {
    /// Loads the configuration. The command line overrides the environment, which overrides the file, which overrides the built-in
    /// defaults.
    ///
    /// The file is `configPath`, else `AGENT_QUEUE_CONFIG`, else `./agent-queue.yaml`, else `$XDG_CONFIG_HOME/agent-queue/config.yaml`
    /// (`~/.config`), else none. The database is the override of key `database`, else `AGENT_QUEUE_DATABASE`, else the file's `database:`,
    /// else `$XDG_DATA_HOME/agent-queue/queue.db` (`~/.local/share`). Relative paths in a file refer to the file's folder, all others to
    /// `currentDirectory`. An empty environment variable counts as unset.
    ///
    /// - Parameters:
    ///   - configPath: the value of `--config`; nil if it was not given.
    ///   - currentDirectory: an absolute path.
    ///   - overrides: what the command line sets. If a key occurs twice, the later one wins.
    ///   - ownProviders: the names of providers that the program brings itself; targets may name them too.
    ///   - files: reads the files.
    /// - Throws: `SettingsError` for the first problem.
    package static func load(
        configPath: String? = nil, environment: [String: String], currentDirectory: String, overrides: [SettingsOverride] = [],
        ownProviders: Set<String> = [], files: FileReader = .system
    ) throws(SettingsError) -> Settings {
        let search = ConfigurationSearch(configPath: configPath, environment: environment, currentDirectory: currentDirectory)
        let (settings, problems) = read(search, overrides, ownProviders, files)
        if let first = problems.first { throw first }
        return settings
    }

    /// The built-in configuration with some values changed. No file and no environment is read.
    /// - Parameters:
    ///   - database: the file; a relative path is below `currentDirectory`.
    ///   - overrides: if a key occurs twice, the later one wins.
    ///   - ownProviders: the names of providers that the program brings itself; targets may name them too.
    /// - Throws: `SettingsError` for the first problem.
    package static func builtIn(
        database: String, currentDirectory: String, overrides: [SettingsOverride], ownProviders: Set<String> = []
    ) throws(SettingsError) -> Settings {
        let search = ConfigurationSearch(configPath: nil, environment: [:], currentDirectory: currentDirectory)
        var settings = Settings(database: "")
        settings.ownProviders = ownProviders
        let place = SettingsOverride(key: "database", value: database, option: "database")
        var problems = settings.apply([place] + overrides, of: search)
        if problems.isEmpty { problems = settings.conflicts() }
        if let first = problems.first { throw first }
        return settings
    }

    /// Every problem that ``load(configPath:environment:currentDirectory:overrides:ownProviders:files:)`` would meet, in the order of the
    /// file, or else those with the files of certificates; empty if there is none. For `agent-queue config check`.
    package static func check(
        configPath: String? = nil, environment: [String: String], currentDirectory: String, overrides: [SettingsOverride] = [],
        files: FileReader = .system
    ) -> [SettingsError] {
        let search = ConfigurationSearch(configPath: configPath, environment: environment, currentDirectory: currentDirectory)
        let (settings, problems) = read(search, overrides, [], files)
        return problems.isEmpty ? settings.connectionFileProblems(files) : problems
    }

    private static func read(
        _ search: ConfigurationSearch, _ overrides: [SettingsOverride], _ ownProviders: Set<String>, _ files: FileReader
    ) -> (settings: Settings, problems: [SettingsError]) {
        var settings = Settings(database: search.defaultDatabase ?? "")
        settings.ownProviders = ownProviders
        settings.pipelines = PathText.join(search.currentDirectory, "pipelines")
        var problems: [SettingsError] = []
        do {
            if let found = try search.find(files) {
                settings.pipelines = PathText.join(found.folder, "pipelines")
                var file = ConfigurationFile(path: found.path, folder: found.folder, home: search.home)
                file.apply(found.text, to: &settings)
                settings.configPath = found.path
                settings.origins = file.origins
                problems = file.problems
            }
        } catch {
            problems.append(error)
        }
        problems += settings.apply(environmentOf: search)
        problems += settings.apply(overrides, of: search)
        // Conflicts between values are only checked once every value is valid by itself.
        if problems.isEmpty { problems = settings.conflicts() }
        return (settings, problems)
    }

    private mutating func apply(environmentOf search: ConfigurationSearch) -> [SettingsError] {
        var problems: [SettingsError] = []
        for variable in EnvironmentVariable.all {
            guard let text = search.environment[variable.name], !text.isEmpty else { continue }
            let origin = SettingsOrigin.environment(name: variable.name)
            do {
                if let value = try variable.translate(text) { try set(variable.key, to: value, from: origin, of: search) }
            } catch {
                problems.append(SettingsError(origin: origin, key: variable.key, message: error.message))
            }
        }
        return problems
    }

    private mutating func apply(_ overrides: [SettingsOverride], of search: ConfigurationSearch) -> [SettingsError] {
        var problems: [SettingsError] = []
        for given in overrides {
            let origin = SettingsOrigin.commandLine(option: given.option)
            do {
                try set(given.key, to: given.value, from: origin, of: search)
            } catch {
                problems.append(SettingsError(origin: origin, key: given.key, message: error.message))
            }
        }
        return problems
    }

    private mutating func set(
        _ key: String, to text: String, from origin: SettingsOrigin, of search: ConfigurationSearch
    ) throws(InvalidText) {
        guard let setting = Self.keys.setting(named: key) else {
            let hint = Suggestion.hint(for: key, in: Self.keys.settings.map(\.name))
            throw InvalidText("unknown key \(InvalidText.quoted(key))\(hint)")
        }
        let raw = RawSetting(content: .scalar(text, quoted: false), folder: search.currentDirectory, home: search.home)
        try setting.set(&self, raw)
        origins[key] = origin
    }
}

/// A configuration value given on the command line.
package struct SettingsOverride: Equatable, Sendable {
    /// The key, such as `worker.concurrency` or `database`. Keys of individual providers and models cannot be set this way.
    package let key: String
    /// The text as given.
    package let value: String
    /// The option that set it, such as `--concurrency`, for messages and `config show`.
    package let option: String

    /// The value is checked when the settings are loaded.
    package init(key: String, value: String, option: String) {
        self.key = key
        self.value = value
        self.option = option
    }
}

/// An environment variable that sets a key.
struct EnvironmentVariable: Sendable {
    let name: String
    let key: String
    /// Converts the variable's text to the key's text; nil if it changes nothing.
    let translate: @Sendable (String) throws(InvalidText) -> String?

    /// Weakest first: if two set the same key, the later one wins.
    static let all = [
        EnvironmentVariable(name: "AGENT_QUEUE_DATABASE", key: "database", translate: { $0 }),
        EnvironmentVariable(name: "ENABLE_ASYNC", key: "enable_async", translate: { (text) throws(InvalidText) in String(try flag(text)) }),
        EnvironmentVariable(
            name: "USE_CLAUDE_CODE", key: "default_model",
            translate: { (text) throws(InvalidText) in try flag(text) ? "claude-code/sonnet" : nil }),
        EnvironmentVariable(name: "CACHE_MAX_SIZE", key: "cache.max_entries", translate: { $0 }),
        EnvironmentVariable(name: "AIOHTTP_TIMEOUT", key: "http.request_timeout", translate: { $0 }),
        EnvironmentVariable(name: "HTTP_TIMEOUT", key: "http.request_timeout", translate: { $0 }),
    ]

    /// Accepts what `SettingKind.flag` does, and also 1 and 0, which are common in environments.
    private static func flag(_ text: String) throws(InvalidText) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw InvalidText("\(InvalidText.quoted(text)) is neither true nor false")
        }
    }
}
