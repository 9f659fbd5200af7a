import AgentQueueModel
import Yams

/// The keys below one place in the configuration, in the order they are shown.
struct SettingTable<Root>: Sendable {
    let settings: [Setting<Root>]

    init(_ settings: [Setting<Root>]) {
        self.settings = settings
    }

    func setting(named name: String) -> Setting<Root>? {
        settings.first { $0.name == name }
    }

    /// Whether there are keys below `name`.
    func isSection(_ name: String) -> Bool {
        settings.contains { $0.name.hasPrefix(name + ".") }
    }

    /// The names allowed in `section` (empty for the top level), without their prefix and suffix.
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

/// One key of the configuration: its name within `Root`, the property that holds its value, and its type.
struct Setting<Root>: Sendable {
    /// The dotted name, such as `worker.concurrency`.
    let name: String
    /// False for a value that only the environment sets.
    let isInFile: Bool
    let set: @Sendable (inout Root, RawSetting) throws(InvalidText) -> Void
    let show: @Sendable (Root) -> String?

    init<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ kind: SettingKind<Value>, isInFile: Bool = true
    ) {
        self.name = name
        self.isInFile = isInFile
        set = { (root, raw) throws(InvalidText) in root[keyPath: path] = try kind.parse(raw) }
        show = { root in kind.show(root[keyPath: path]) }
    }
}

/// A type of configuration value: how it is read, checked and shown.
struct SettingKind<Value: Sendable>: Sendable {
    let parse: @Sendable (RawSetting) throws(InvalidText) -> Value
    /// The value as it would be written in a file; nil if it is not set.
    let show: @Sendable (Value) -> String?

    init(parse: @escaping @Sendable (RawSetting) throws(InvalidText) -> Value, show: @escaping @Sendable (Value) -> String?) {
        self.parse = parse
        self.show = show
    }
}

/// A value as it was written, before it has a type.
struct RawSetting {
    enum Content {
        /// Nothing after the key, `~` or `null`.
        case null
        case scalar(String, quoted: Bool)
        case list([RawSetting])
        /// Keys and values, as parsed.
        case mapping(Node)
    }

    let content: Content
    /// The folder that relative paths refer to.
    let folder: String
    /// The folder that `~` stands for.
    let home: String?

    /// The text of a scalar. Lists, mappings and nulls are rejected, and so are quoted texts unless `quotesAllowed`.
    func text(of expected: String, quotesAllowed: Bool = true) throws(InvalidText) -> String {
        switch content {
        case .scalar(let text, let quoted):
            guard quotesAllowed || !quoted else {
                throw InvalidText("expected \(expected), found the text \(InvalidText.quoted(text)) (leave out the quotes)")
            }
            return text
        case .null: throw InvalidText("has no value (expected \(expected))")
        case .list: throw InvalidText("expected \(expected), found a list")
        case .mapping: throw InvalidText("expected \(expected), found keys and values")
        }
    }

    var isNull: Bool {
        if case .null = content { true } else { false }
    }
}
