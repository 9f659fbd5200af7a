import AgentQueueModel
import Yams

/// Applies a configuration file to `Settings`: walks the YAML alongside the tables of keys and collects every problem with its line.
struct ConfigurationFile {
    /// The path as it was given, for messages.
    let path: String
    /// The folder that relative paths in the file refer to.
    let folder: String
    let home: String?
    /// The origin of each value that was set.
    private(set) var origins: [String: SettingsOrigin] = [:]
    private(set) var problems: [SettingsError] = []

    init(path: String, folder: String, home: String?) {
        self.path = path
        self.folder = folder
        self.home = home
    }

    /// Applies the text of the file.
    mutating func apply(_ text: String, to settings: inout Settings) {
        guard let root = document(text), !isNull(root), let pairs = mapping(root, key: nil) else { return }
        for (key, value) in pairs {
            switch key.scalar?.string {
            case "providers": applyProviders(value, to: &settings.providers)
            case "models": applyModels(value, to: &settings.models)
            case "memory": applyMemory(value, to: &settings)
            case "roles": applyRoles(value, at: "roles", to: &settings.roles)
            case "modes": applyModes(value, to: &settings.modes)
            case "notifications": applyNotifications(value, to: &settings.notifications)
            default:
                apply(
                    key, value, in: "", of: Settings.keys, at: "",
                    alsoKnown: ["providers", "models", "roles", "modes", "notifications"], to: &settings)
            }
        }
    }

    private mutating func document(_ text: String) -> Node? {
        do {
            // Scalars stay untyped texts: the tables of keys know their types.
            return try YAMLValue.node(of: text)
        } catch {
            report(error.message, line: error.line)
            return nil
        }
    }

    // MARK: Providers, models and namespaces

    private mutating func applyProviders(_ node: Node, to providers: inout [String: ProviderSettings]) {
        forEachName(in: node, key: "providers") { file, name, label, pairs in
            guard TargetName.isProviderName(name) else {
                return file.report("\(InvalidText.quoted(name)) is not a provider's name (letters, digits, _ and -)", line: label.line)
            }
            guard var provider = file.provider(named: name, inherited: providers[name], pairs, line: label.line) else { return }
            file.apply(pairs, in: "", of: ProviderSettings.keys, at: label.key + ".", to: &provider)
            providers[name] = provider
        }
    }

    /// The settings that the file's keys for one provider apply to. A provider of another kind than the built-in one inherits nothing from
    /// it, and one with its own key file does not inherit the name of an environment variable.
    private mutating func provider(
        named name: String, inherited: ProviderSettings?, _ pairs: Node.Mapping, line: Int?
    ) -> ProviderSettings? {
        func written(_ key: String) -> Node? { pairs.first { $0.key.scalar?.string == key }?.value }
        guard let kind = written("kind").map({ $0.scalar?.string }) else {
            guard var provider = inherited else {
                let kinds = ProviderKind.allCases.map(\.rawValue).joined(separator: ", ")
                report("is missing (one of \(kinds))", key: "providers.\(name).kind", line: line)
                return nil
            }
            if written("api_key_file") != nil { provider.apiKeyEnv = nil }
            return provider
        }
        // An unknown kind is reported when the keys are applied; until then any kind will do.
        let chosen = kind.flatMap(ProviderKind.init(rawValue:)) ?? .openai
        guard var provider = inherited, provider.kind == chosen else { return ProviderSettings(kind: chosen) }
        if written("api_key_file") != nil { provider.apiKeyEnv = nil }
        return provider
    }

    private mutating func applyModels(_ node: Node, to models: inout [String: ModelSettings]) {
        forEachName(in: node, key: "models") { file, name, label, pairs in
            do throws(InvalidText) {
                let target = try TargetName(name)
                var model = models[target.description] ?? ModelSettings()
                file.apply(pairs, in: "", of: ModelSettings.keys, at: label.key + ".", to: &model)
                models[target.description] = model
            } catch {
                file.report(error.message, line: label.line)
            }
        }
    }

    private mutating func applyNotifications(_ node: Node, to notifications: inout [String: NotificationSettings]) {
        forEachName(in: node, key: "notifications") { file, name, label, pairs in
            guard TargetName.isProviderName(name) else {
                return file.report("\(InvalidText.quoted(name)) is not a notification's name (letters, digits, _ and -)", line: label.line)
            }
            var notification = notifications[name] ?? NotificationSettings()
            file.apply(pairs, in: "", of: NotificationSettings.keys, at: label.key + ".", to: &notification)
            notifications[name] = notification
        }
    }

    private mutating func applyMemory(_ node: Node, to settings: inout Settings) {
        guard !isNull(node), let pairs = mapping(node, key: "memory") else { return }
        for (key, value) in pairs {
            if key.scalar?.string == "namespaces" {
                applyNamespaces(value, to: &settings.memory.namespaces)
            } else {
                apply(key, value, in: "memory", of: Settings.keys, at: "", alsoKnown: ["namespaces"], to: &settings)
            }
        }
    }

    private mutating func applyNamespaces(_ node: Node, to namespaces: inout [String: NamespaceSettings]) {
        forEachName(in: node, key: "memory.namespaces") { file, name, label, pairs in
            guard NamespaceSettings.isName(name) else {
                let rule = "1 to \(NamespaceSettings.maxNameLength) characters, no control characters"
                return file.report("\(InvalidText.quoted(name)) is not a namespace's name (\(rule))", line: label.line)
            }
            var namespace = namespaces[name] ?? NamespaceSettings()
            file.apply(pairs, in: "", of: NamespaceSettings.keys, at: label.key + ".", to: &namespace)
            namespaces[name] = namespace
        }
    }

    /// Calls `body` for each name below `key`, with its full key, its line and the keys below it.
    mutating func forEachName(
        in node: Node, key: String,
        _ body: (inout ConfigurationFile, _ name: String, _ label: (key: String, line: Int?), _ pairs: Node.Mapping) -> Void
    ) {
        guard !isNull(node), let names = mapping(node, key: key) else { return }
        for (nameNode, value) in names {
            guard let name = text(ofKey: nameNode) else { continue }
            let label = (key: "\(key).\(name)", line: nameNode.mark?.line)
            guard let pairs = isNull(value) ? Node.Mapping([]) : mapping(value, key: label.key) else { continue }
            origins[label.key] = .file(path: path, line: label.line)
            body(&self, name, label, pairs)
        }
    }

    // MARK: Keys

    mutating func apply<Root>(
        _ pairs: Node.Mapping, in section: String, of table: SettingTable<Root>, at prefix: String, to root: inout Root
    ) {
        for (key, value) in pairs { apply(key, value, in: section, of: table, at: prefix, alsoKnown: [], to: &root) }
    }

    mutating func apply<Root>(
        _ key: Node, _ value: Node, in section: String, of table: SettingTable<Root>, at prefix: String, alsoKnown: [String],
        to root: inout Root
    ) {
        guard let name = text(ofKey: key) else { return }
        let dotted = section.isEmpty ? name : "\(section).\(name)"
        let known = table.names(in: section) + alsoKnown
        guard known.contains(name) else {
            return report("unknown key \(InvalidText.quoted(name))\(hint(for: name, in: known, at: prefix))", line: key.mark?.line)
        }
        guard let setting = table.setting(named: dotted) else {
            guard !isNull(value), let pairs = mapping(value, key: prefix + dotted) else { return }
            return apply(pairs, in: dotted, of: table, at: prefix, to: &root)
        }
        let line = isNull(value) ? key.mark?.line : value.mark?.line
        do {
            try setting.set(&root, raw(value))
            origins[prefix + dotted] = .file(path: path, line: key.mark?.line)
        } catch {
            report(error.message, key: prefix + dotted, line: line)
        }
    }

    private func hint(for name: String, in known: [String], at prefix: String) -> String {
        let namesOfKeys = ["api_key", "apikey", "api-key", "key", "token", "secret", "password"]
        if prefix.hasPrefix("providers."), namesOfKeys.contains(name.lowercased()) {
            return " (a key is never written here: name its environment variable with api_key_env, or its file with api_key_file)"
        }
        return Suggestion.hint(for: name, in: known)
    }

    // MARK: Nodes

    private func raw(_ node: Node) -> RawSetting {
        let content: RawSetting.Content
        switch node {
        case .scalar(let scalar): content = isNull(node) ? .null : .scalar(scalar.string, quoted: scalar.style != .plain)
        case .sequence(let sequence): content = .list(sequence.map(raw))
        case .mapping, .alias: content = .mapping(node)
        }
        return RawSetting(content: content, folder: folder, home: home)
    }

    private func isNull(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private mutating func mapping(_ node: Node, key: String?) -> Node.Mapping? {
        if let mapping = node.mapping { return mapping }
        let found = node.sequence == nil ? "a single value" : "a list"
        report("expected keys and values here, found \(found)", key: key, line: node.mark?.line)
        return nil
    }

    private mutating func text(ofKey key: Node) -> String? {
        if let text = key.scalar?.string { return text }
        report("a key must be a word", line: key.mark?.line)
        return nil
    }

    mutating func report(_ message: String, key: String? = nil, line: Int?) {
        problems.append(SettingsError(origin: .file(path: path, line: line), key: key, message: message))
    }
}

/// The configuration of pipelines: roles, and modes with roles of their own.
extension ConfigurationFile {
    mutating func applyRoles(_ node: Node, at key: String, to roles: inout [String: RoleSettings]) {
        forEachName(in: node, key: key) { file, name, label, pairs in
            guard file.checkName(name, of: "a role", line: label.line) else { return }
            var role = roles[name] ?? RoleSettings()
            file.apply(pairs, in: "", of: RoleSettings.keys, at: label.key + ".", to: &role)
            roles[name] = role
        }
    }

    mutating func applyModes(_ node: Node, to modes: inout [String: ModeSettings]) {
        forEachName(in: node, key: "modes") { file, name, label, pairs in
            guard file.checkName(name, of: "a mode", line: label.line) else { return }
            var mode = ModeSettings()
            for (key, value) in pairs {
                if key.scalar?.string == "roles" {
                    file.applyRoles(value, at: "\(label.key).roles", to: &mode.roles)
                } else {
                    file.apply(key, value, in: "", of: ModeSettings.keys, at: label.key + ".", alsoKnown: ["roles"], to: &mode)
                }
            }
            if !pairs.contains(where: { $0.key.scalar?.string == "pipeline" }) {
                file.report("is missing", key: "\(label.key).pipeline", line: label.line)
            }
            modes[name] = mode
        }
    }

    private mutating func checkName(_ name: String, of subject: String, line: Int?) -> Bool {
        if TargetName.isProviderName(name) { return true }
        report("\(InvalidText.quoted(name)) is not \(subject)'s name (letters, digits, _ and -)", line: line)
        return false
    }
}
