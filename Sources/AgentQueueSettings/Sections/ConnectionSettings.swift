import AgentQueueModel

/// How servers are reached: keys of `http:`, which a provider may override.
package struct ConnectionSettings: Hashable, Sendable {
    /// Nil for the proxies of the environment.
    package var proxy: ProxyChoice?
    /// The absolute path of a PEM file with certificates that are trusted besides the system's.
    package var caFile: String?
    /// The absolute path of a PEM file with the certificate that identifies this client, and those that lead to its issuer.
    package var clientCertificate: String?
    /// The absolute path of a PEM file with its private key; nil if ``clientCertificate`` holds it too.
    package var clientKey: String?

    package init() {}

    /// These settings, and those of `base` where they say nothing. A certificate brings its own key.
    package func inheriting(_ base: ConnectionSettings) -> ConnectionSettings {
        var settings = self
        settings.proxy = proxy ?? base.proxy
        settings.caFile = caFile ?? base.caFile
        if clientCertificate == nil {
            settings.clientCertificate = base.clientCertificate
            settings.clientKey = base.clientKey
        }
        return settings
    }
}

extension SettingKind where Value == ProxyChoice {
    /// The address of a proxy, or `none`. User and password are masked when it is shown.
    static let proxy = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a proxy's address or none")
        return text.lowercased() == "none" ? .direct : .proxy(try ProxyAddress(text))
    } show: { choice in
        switch choice {
        case .direct: "none"
        case .proxy(let address): address.user == nil ? address.shown : "\(address.kind.rawValue)://***@\(address.authority)"
        }
    }
}

extension Settings {
    /// A key without its certificate, at `http` or a provider.
    func connectionConflicts() -> [SettingsError] {
        connections.compactMap { prefix, connection in
            guard connection.clientKey != nil, connection.clientCertificate == nil else { return nil }
            let key = "\(prefix).client_key"
            return SettingsError(origin: origin(of: key), key: key, message: "needs its certificate; set client_certificate too")
        }
    }

    /// Files of certificates and keys that are not there, cannot be read or hold none.
    func connectionFileProblems(_ files: FileReader) -> [SettingsError] {
        connections.flatMap { prefix, connection -> [SettingsError] in
            let checks: [(key: String, path: String?, fault: (String) -> String?)] = [
                ("ca_file", connection.caFile, Self.certificateFault),
                ("client_certificate", connection.clientCertificate, Self.certificateFault),
                ("client_key", connection.clientKey ?? connection.clientCertificate, Self.keyFault),
            ]
            return checks.compactMap { check in
                guard let path = check.path, let fault = Self.fault(of: path, files, check.fault) else { return nil }
                let key = "\(prefix).\(check.key == "client_key" && connection.clientKey == nil ? "client_certificate" : check.key)"
                return SettingsError(origin: origin(of: key), key: key, message: "\(InvalidText.printable(path, limit: 500)) \(fault)")
            }
        }
    }

    /// The connections that are configured, with the key that they stand below.
    private var connections: [(prefix: String, ConnectionSettings)] {
        [("http", http.connection)]
            + providers.sorted { $0.key < $1.key }.map { ("providers.\($0.key)", $0.value.connection) }
    }

    private static func fault(of path: String, _ files: FileReader, _ fault: (String) -> String?) -> String? {
        do {
            guard let contents = try files.read(path) else { return "does not exist" }
            return fault(contents.text)
        } catch {
            return error.message
        }
    }

    private static func certificateFault(_ text: String) -> String? {
        text.contains("-----BEGIN CERTIFICATE-----") ? nil : "holds no certificate in PEM form"
    }

    private static func keyFault(_ text: String) -> String? {
        if text.contains("ENCRYPTED") { return "is encrypted; store the key without a passphrase, readable by its owner only" }
        return text.contains("PRIVATE KEY-----") ? nil : "holds no private key in PEM form"
    }
}
