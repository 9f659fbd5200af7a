import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct TLSIdentityTests {
    /// Lends the paths of files with the certificates of the tests, by name.
    private func withFiles<Value>(_ body: ((String) -> TLSFiles.Named) async throws -> Value) async throws -> Value {
        try await withFolder { folder in
            let contents = [
                "issuer": TestCertificates.issuer, "client": TestCertificates.client, "key": TestCertificates.clientKey,
                "both": TestCertificates.client + TestCertificates.clientKey, "other": TestCertificates.serverKey, "text": "no certificate",
            ]
            for (name, text) in contents {
                try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            return try await body { TLSFiles.Named("\(folder)/\($0)", source: "http.\($0)") }
        }
    }

    private func status(
        _ encryption: TestCertificates.Encryption, _ files: TLSFiles
    ) async throws -> Result<Int, HTTPFailure> {
        try await ScriptedServer.withServer(.always(ScriptedAnswer(json: "{}")), encryption: encryption) { server in
            try await withTransport(.init(maxRetries: 0, tls: try TLSIdentity(files))) { transport in
                let call = HTTPCall(method: "GET", url: "https://127.0.0.1:\(server.port)/v1")
                return await transport.send(call, before: .now + .seconds(30)).map(\.status)
            }
        }
    }

    @Test func anIssuerThatNobodyNamedIsNotTrusted() async throws {
        #expect(try await status(.tls, TLSFiles(environment: [:])) == .failure(.untrusted("its TLS certificate is not trusted")))
        #expect(try TLSIdentity(TLSFiles(environment: ["SSL_CERT_FILE": ""])) == nil)
    }

    @Test func anIssuerIsTrustedByConfigurationAndEnvironment() async throws {
        try await withFiles { file in
            var files = TLSFiles(environment: [:])
            files.caFile = file("issuer")
            let folder = String(file("issuer").path.dropLast("/issuer".count))
            let named = [["SSL_CERT_FILE": file("issuer").path], ["SSL_CERT_DIR": "/nowhere:\(folder)"]]
            for files in [files] + named.map(TLSFiles.init(environment:)) {
                let result = try await status(.tls, files)
                #expect(result == .success(200))
            }
        }
    }

    @Test func aClientCertificateIsShownToAServerThatWantsOne() async throws {
        try await withFiles { file in
            var files = TLSFiles(environment: [:])
            files.caFile = file("issuer")
            guard case .failure = try await status(.mutual, files) else { return #expect(Bool(false), "accepted without one") }
            files.clientCertificate = file("client")
            files.clientKey = file("key")
            #expect(try await status(.mutual, files) == .success(200))
            files.clientCertificate = file("both")
            files.clientKey = nil
            #expect(try await status(.mutual, files) == .success(200))
        }
    }

    @Test func aFileThatCannotBeUsedIsNamedWithItsSource() async throws {
        try await withFiles { file in
            func fault(_ change: (inout TLSFiles) -> Void) -> String {
                var files = TLSFiles(environment: [:])
                change(&files)
                do {
                    _ = try TLSIdentity(files)
                    return ""
                } catch { return error.message }
            }
            let text = file("text").path
            #expect(fault { $0.caFile = file("gone") } == "http.gone: \(file("gone").path) does not exist")
            #expect(fault { $0.caFile = file("text") } == "http.text: \(text) holds no certificates in PEM form")
            #expect(fault { $0.systemFile = .init("/", source: "SSL_CERT_FILE") } == "SSL_CERT_FILE: / is a folder")
            #expect(
                fault {
                    $0.clientCertificate = file("client")
                    $0.clientKey = file("text")
                } == "http.text: \(text) holds no private key in PEM form without a passphrase")
            #expect(
                fault {
                    $0.clientCertificate = file("client")
                    $0.clientKey = file("other")
                } == "http.client: the certificates cannot be used (does the key belong to the certificate?)")
        }
    }
}
