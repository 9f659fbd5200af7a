extension Settings {
    /// Every value with where it came from, as `agent-queue config show` prints them: keys of the file's order, then namespaces,
    /// providers, models, roles and modes by name. Values that are not set are left out, unless something took them away. Secrets are masked.
    public var entries: [SettingsEntry] {
        var entries = rows(of: self, Settings.keys, at: "")
        for (name, namespace) in memory.namespaces.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: namespace, NamespaceSettings.keys, at: "memory.namespaces.\(name).")
        }
        for (name, provider) in providers.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: provider, ProviderSettings.keys, at: "providers.\(name).")
        }
        for (name, model) in models.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: model, ModelSettings.keys, at: "models.\(name).")
        }
        for (name, notification) in notifications.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: notification, NotificationSettings.keys, at: "notifications.\(name).")
        }
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: role, RoleSettings.keys, at: "roles.\(name).")
        }
        for (name, mode) in modes.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: mode, ModeSettings.keys, at: "modes.\(name).")
            for (role, changes) in mode.roles.sorted(by: { $0.key < $1.key }) {
                entries += rows(of: changes, RoleSettings.keys, at: "modes.\(name).roles.\(role).")
            }
        }
        return entries
    }

    /// Where the value of a key came from.
    public func origin(of key: String) -> SettingsOrigin {
        origins[key] ?? .builtIn
    }

    private func rows<Root>(of root: Root, _ table: SettingTable<Root>, at prefix: String) -> [SettingsEntry] {
        table.settings.compactMap { setting in
            let key = prefix + setting.name
            let origin = origin(of: key)
            guard let value = setting.show(root) ?? (origin == .builtIn ? nil : "null") else { return nil }
            return SettingsEntry(key: key, value: value, origin: origin)
        }
    }
}
