/// Every key below `notifications.<name>`.
extension NotificationSettings {
    static let keys = SettingTable<NotificationSettings>([
        Setting("command", \.command, .optional(.text(maxBytes: 16 << 10))),
        Setting("url", \.url, .optional(.webhookURL)),
        Setting("secret_env", \.secretEnv, .optional(.environmentName)),
        Setting("secret_file", \.secretFile, .optional(.path)),
        Setting("timeout", \.timeout, .duration(.seconds(1) ... .hours(1))),
        Setting("max_attempts", \.maxAttempts, .integer(1...100)),
    ])
}
