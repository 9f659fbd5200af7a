/// Every key below `modes.<name>` but `roles`.
extension ModeSettings {
    static let keys = SettingTable<ModeSettings>([
        Setting("pipeline", \.pipeline, .name),
        Setting("inputs", \.inputs, .optional(.object)),
        Setting("model", \.model, .optional(.target)),
    ])
}
