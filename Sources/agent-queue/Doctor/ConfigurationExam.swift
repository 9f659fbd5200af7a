import Settings

/// Looks at a configuration that is right in itself.
enum ConfigurationExam {
    static func findings(_ session: Session) async -> [Finding] {
        let settings = session.settings
        let source = settings.configPath.map { "read from \($0)" } ?? "no file; the built-in defaults apply"
        var findings = [Finding.good("configuration", source)]
        findings += ProviderExam.unavailable(await ProviderOverview.unavailable(session), settings)
        findings += ProviderExam.unpriced(settings)
        if settings.durability == .normal {
            findings.append(.note("durability", "normal: a power cut may lose the latest commits; 'durability: full' does not"))
        }
        return findings
    }
}
