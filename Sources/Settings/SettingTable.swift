/// The keys below one place in the configuration, in the order in which they are shown.
struct SettingTable<Root>: Sendable {
    let settings: [Setting<Root>]

    init(_ settings: [Setting<Root>]) {
        self.settings = settings
    }

    func setting(named name: String) -> Setting<Root>? {
        settings.first { $0.name == name }
    }

    /// Whether keys lie below `name`.
    func isSection(_ name: String) -> Bool {
        settings.contains { $0.name.hasPrefix(name + ".") }
    }

    /// The names that may be written in `section` (empty: at the top), without what is before or after them.
    func names(in section: String) -> [String] {
        let prefix = section.isEmpty ? "" : section + "."
        var names: [String] = []
        for setting in settings where setting.isInFile && setting.name.hasPrefix(prefix) {
            let name = String(setting.name.dropFirst(prefix.count).prefix { $0 != "." })
            if names.last != name { names.append(name) }
        }
        return names
    }
}
