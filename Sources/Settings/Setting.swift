/// One key of the configuration: its name within `Root`, where its value is kept, and of what kind it is.
struct Setting<Root>: Sendable {
    /// Dotted, such as `worker.concurrency`.
    let name: String
    /// False for what only the environment sets.
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
