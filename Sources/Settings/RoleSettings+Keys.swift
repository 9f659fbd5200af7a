/// Every key below `roles.<name>`.
extension RoleSettings {
    static let keys = SettingTable<RoleSettings>([
        Setting("system", \.system, .optional(.text(maxBytes: 1 << 20))),
        Setting("model", \.model, .optional(.targetTemplate)),
        Setting("temperature", \.temperature, .optional(.number(0...2))),
        Setting("max_tokens", \.maxTokens, .optional(.integer(1...10_000_000))),
        Setting("parameters", \.parameters, .optional(.object)),
    ])
}
