import JobModel
import Settings

/// Looks at a configuration that is right in itself.
enum ConfigurationExam {
    static func findings(_ session: Session) -> [Finding] {
        let settings = session.settings
        let source = settings.configPath.map { "read from \($0)" } ?? "no file; the built-in defaults apply"
        var findings = [Finding.good("configuration", source)]
        let target = Target(settings.defaultModel)
        for (name, provider) in settings.providers.sorted(by: { $0.key < $1.key }) {
            guard case .missing(let reason) = provider.resolveAPIKey(environment: session.environment) else { continue }
            let isDefault = target?.provider == name
            findings.append(
                isDefault
                    ? .fault("provider \(name)", "default_model needs its key: \(reason)", ExitStatus.badConfiguration.rawValue)
                    : .note("provider \(name)", "cannot be called: \(reason)"))
        }
        if settings.durability == .normal {
            findings.append(.note("durability", "normal: a power cut may lose the latest commits; 'durability: full' does not"))
        }
        return findings
    }
}
