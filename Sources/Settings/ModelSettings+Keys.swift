/// Every key below `models.<provider/model>`.
extension ModelSettings {
    static let keys = SettingTable<ModelSettings>([
        Setting("fallbacks", \.fallbacks, .list(of: .target)),
        Setting("fallback_after", \.fallbackAfter, .optional(.duration(.zero ... .hours(24)))),
        Setting("batch_api", \.batchAPI, .flag),
        Setting("price.input_per_mtok", \.inputPerMTok, .optional(.number(0...1_000_000))),
        Setting("price.output_per_mtok", \.outputPerMTok, .optional(.number(0...1_000_000))),
    ])
}
