import AgentQueueModel
import Foundation
import NIOSSL

/// The files that say what is trusted, and who this client is.
package struct TLSFiles: Sendable, Hashable {
    /// A file, and what named it.
    package struct Named: Sendable, Hashable {
        package var path: String
        /// The environment variable or the key of the configuration.
        package var source: String

        package init(_ path: String, source: String) {
            self.path = path
            self.source = source
        }
    }

    /// Trusted besides the system's certificates.
    package var caFile: Named?
    package var clientCertificate: Named?
    /// Nil if the key is in the certificate's file.
    package var clientKey: Named?
    /// Takes the place of the system's file of certificates: `SSL_CERT_FILE`.
    package var systemFile: Named?
    /// Takes the place of the system's folder of certificates: `SSL_CERT_DIR`, several with `:` between them.
    package var systemFolders: Named?

    /// Files that the environment names, as OpenSSL understands them.
    package init(environment: [String: String]) {
        func named(_ name: String) -> Named? { environment[name].flatMap { $0.isEmpty ? nil : Named($0, source: name) } }
        systemFile = named("SSL_CERT_FILE")
        systemFolders = named("SSL_CERT_DIR")
    }

    /// Whether no file is named, so that the system's certificates are trusted.
    var isEmpty: Bool { self == TLSFiles(environment: [:]) }
}

/// What a transport trusts, and how it identifies itself. The files are read once.
package struct TLSIdentity: Sendable, Equatable {
    let configuration: TLSConfiguration

    /// Reads the files; nil if none is named.
    /// - Throws: `InvalidText` for a file that cannot be used.
    package init?(_ files: TLSFiles) throws(InvalidText) {
        guard !files.isEmpty else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = files.systemFile {
            let roots = try Self.certificates(file)
            if files.systemFolders == nil, FileManager.default.fileExists(atPath: Self.systemFolder) {
                // BoringSSL looks up a folder's certificates when they are needed. NIOSSL takes a folder only here.
                tls.trustRoots = .file(Self.systemFolder)
                tls.additionalTrustRoots.append(.certificates(roots))
            } else {
                tls.trustRoots = .certificates(roots)
            }
        }
        if let folders = files.systemFolders {
            tls.additionalTrustRoots.append(.certificates(Self.certificates(inFolders: folders.path)))
        }
        if let file = files.caFile { tls.additionalTrustRoots.append(.certificates(try Self.certificates(file))) }
        if let file = files.clientCertificate {
            tls.certificateChain = try Self.certificates(file).map { .certificate($0) }
            tls.privateKey = .privateKey(try Self.key(files.clientKey ?? file))
        }
        do {
            // Finds a key that does not belong to its certificate.
            _ = try NIOSSLContext(configuration: tls)
        } catch {
            let source = files.clientCertificate?.source ?? files.caFile?.source ?? files.systemFile?.source ?? "SSL_CERT_DIR"
            throw InvalidText("\(source): the certificates cannot be used (does the key belong to the certificate?)")
        }
        configuration = tls
    }

    /// Where OpenSSL looks besides the system's file.
    private static let systemFolder = "/etc/ssl/certs"

    private static func certificates(_ file: TLSFiles.Named) throws(InvalidText) -> [NIOSSLCertificate] {
        try check(file)
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(file.path), !certificates.isEmpty else {
            // Which part cannot be read, BoringSSL does not say.
            throw InvalidText("\(shown(file)) holds no certificates in PEM form")
        }
        return certificates
    }

    private static func key(_ file: TLSFiles.Named) throws(InvalidText) -> NIOSSLPrivateKey {
        try check(file)
        // Without a callback, a key with a passphrase is an error, as is anything else: BoringSSL does not say which.
        guard let key = try? NIOSSLPrivateKey(file: file.path, format: .pem) else {
            throw InvalidText("\(shown(file)) holds no private key in PEM form without a passphrase")
        }
        return key
    }

    /// What can be read of the files in folders. Such a folder also holds other things, and links to the same certificate.
    private static func certificates(inFolders paths: String) -> [NIOSSLCertificate] {
        var certificates: Set<NIOSSLCertificate> = []
        for folder in paths.split(separator: ":") {
            // A folder that is not there is ignored, as OpenSSL does.
            for name in (try? FileManager.default.contentsOfDirectory(atPath: String(folder)))?.sorted() ?? [] {
                certificates.formUnion((try? NIOSSLCertificate.fromPEMFile("\(folder)/\(name)")) ?? [])
            }
        }
        return Array(certificates)
    }

    private static func check(_ file: TLSFiles.Named) throws(InvalidText) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else {
            throw InvalidText("\(shown(file)) does not exist")
        }
        guard !isFolder.boolValue else { throw InvalidText("\(shown(file)) is a folder") }
        guard FileManager.default.isReadableFile(atPath: file.path) else { throw InvalidText("\(shown(file)) may not be read") }
    }

    private static func shown(_ file: TLSFiles.Named) -> String { "\(file.source): \(InvalidText.printable(file.path, limit: 500))" }

    package static func == (one: TLSIdentity, other: TLSIdentity) -> Bool {
        one.configuration.bestEffortEquals(other.configuration)
    }
}
