/// Every key below `memory.namespaces.<name>`.
extension NamespaceSettings {
    static let keys = SettingTable<NamespaceSettings>([
        Setting("max_rows", \.maxRows, .optional(.integer(1...1_000_000_000))),
        Setting("max_bytes", \.maxBytes, .optional(.bytes((1 << 20)...(1 << 50)))),
        Setting("retention", \.retention, .optional(.duration(.seconds(60) ... .days(36_500)))),
    ])
}
