/// Where the configuration file is looked for, and where the database goes when nothing says so.
struct ConfigurationSearch {
    /// The value of `--config`.
    let configPath: String?
    let environment: [String: String]
    let currentDirectory: String

    /// A configuration file that was found.
    struct Found {
        /// As it was named, for messages.
        let path: String
        /// The folder it is in, which its relative paths are relative to.
        let folder: String
        let text: String
    }

    /// `HOME`, if it is of use.
    var home: String? { absolute("HOME") }

    /// `$XDG_DATA_HOME/agent-queue/queue.db`, `~/.local/share` standing in; nil without a home.
    var defaultDatabase: String? {
        folder("XDG_DATA_HOME", orBelowHome: ".local/share").map { PathText.join($0, "agent-queue/queue.db") }
    }

    /// `--config`, else `AGENT_QUEUE_CONFIG`, else `./agent-queue.yaml`, else `$XDG_CONFIG_HOME/agent-queue/config.yaml`, else nil.
    ///
    /// A file that was named and is not there is an error; so is one that is there and cannot be read.
    func find(_ files: FileReader) throws(SettingsError) -> Found? {
        if let configPath { return try named(configPath, by: .commandLine(option: "--config"), files) }
        if let path = environment["AGENT_QUEUE_CONFIG"], !path.isEmpty {
            return try named(path, by: .environment(name: "AGENT_QUEUE_CONFIG"), files)
        }
        if let here = try file("agent-queue.yaml", at: PathText.join(currentDirectory, "agent-queue.yaml"), files) { return here }
        guard let folder = folder("XDG_CONFIG_HOME", orBelowHome: ".config") else { return nil }
        let path = PathText.join(folder, "agent-queue/config.yaml")
        return try file(path, at: path, files)
    }

    private func named(_ path: String, by origin: SettingsOrigin, _ files: FileReader) throws(SettingsError) -> Found {
        let absolute: String
        do {
            absolute = try PathText.resolve(path, folder: currentDirectory, home: home)
        } catch {
            throw SettingsError(origin: origin, message: error.message)
        }
        guard let found = try file(path, at: absolute, files) else {
            throw SettingsError(origin: .file(path: path, line: nil), message: "there is no such file (named by \(origin.place))")
        }
        return found
    }

    private func file(_ path: String, at absolute: String, _ files: FileReader) throws(SettingsError) -> Found? {
        do {
            return try files.read(absolute).map { Found(path: path, folder: PathText.folder(of: absolute), text: $0.text) }
        } catch {
            throw SettingsError(origin: .file(path: path, line: nil), message: error.message)
        }
    }

    /// The XDG specification: a variable that is empty or not an absolute path counts as not set.
    private func folder(_ name: String, orBelowHome fallback: String) -> String? {
        absolute(name) ?? home.map { PathText.join($0, fallback) }
    }

    private func absolute(_ name: String) -> String? {
        environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
