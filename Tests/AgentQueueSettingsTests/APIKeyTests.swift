import Foundation
import Testing

@testable import AgentQueueSettings

/// Key files are real files here, for what counts is their mode.
@Suite struct APIKeyTests {
    private func withKeyFile(_ text: String, mode: Int, _ body: (_ provider: ProviderSettings, _ path: String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "agent-queue-key-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        var provider = ProviderSettings(kind: .openai)
        provider.apiKeyFile = path
        try body(provider, path)
    }

    @Test func aProviderMayNeedNone() {
        #expect(ProviderSettings(kind: .openai).resolveAPIKey(environment: [:]) == .notNeeded)
    }

    @Test func theEnvironmentHoldsIt() {
        var provider = ProviderSettings(kind: .anthropic)
        provider.apiKeyEnv = "KEY"
        #expect(provider.resolveAPIKey(environment: ["KEY": " sk-1\n"]) == .found(Secret("sk-1")))
        let missing = KeyLookup.missing(reason: "environment variable KEY is not set (put the key there)")
        #expect(provider.resolveAPIKey(environment: [:]) == missing)
        #expect(provider.resolveAPIKey(environment: ["KEY": ""]) == missing)
    }

    @Test(arguments: [0o600, 0o400])
    func aFileOfItsOwnersHoldsIt(_ mode: Int) throws {
        try withKeyFile("sk-2\r\n", mode: mode) { provider, _ in
            #expect(provider.resolveAPIKey(environment: [:]) == .found(Secret("sk-2")))
        }
    }

    @Test func theEnvironmentComesFirst() throws {
        try withKeyFile("sk-2", mode: 0o600) { provider, _ in
            var provider = provider
            provider.apiKeyEnv = "KEY"
            #expect(provider.resolveAPIKey(environment: ["KEY": "sk-1"]) == .found(Secret("sk-1")))
            #expect(provider.resolveAPIKey(environment: [:]) == .found(Secret("sk-2")))
        }
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o620, 0o610, 0o777])
    func aFileOfOthersIsRefused(_ mode: Int) throws {
        try withKeyFile("sk-2", mode: mode) { provider, path in
            let octal = String(mode, radix: 8)
            let reason = "key file \(path) may be read or written by others (mode 0\(octal)): run chmod 600 on it"
            #expect(provider.resolveAPIKey(environment: [:]) == .missing(reason: reason))
        }
    }

    @Test(arguments: [("", "is empty"), (" \n", "is empty"), ("sk 1", "is not a key"), ("a\nb", "is not a key")])
    func aFileMustHoldOneKey(_ text: String, _ expected: String) throws {
        try withKeyFile(text, mode: 0o600) { provider, _ in
            guard case .missing(let reason) = provider.resolveAPIKey(environment: [:]) else {
                Issue.record("a key was found")
                return
            }
            #expect(reason.contains(expected))
        }
    }

    @Test func aFileMustBeThere() {
        var provider = ProviderSettings(kind: .openai)
        provider.apiKeyFile = "/nowhere/key"
        #expect(provider.resolveAPIKey(environment: [:]) == .missing(reason: "key file /nowhere/key does not exist"))
        provider.apiKeyFile = "/"
        guard case .missing(let reason) = provider.resolveAPIKey(environment: [:]) else {
            Issue.record("a folder was read")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func aSecretIsNotPrinted() {
        let key = KeyLookup.found(Secret("sk-1"))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(!text.contains("sk-1")) }
        #expect(Secret("sk-1").reveal() == "sk-1")
    }
}
