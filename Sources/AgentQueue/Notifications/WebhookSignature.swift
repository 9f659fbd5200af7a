import Crypto
import Foundation

/// How a webhook is signed, as Standard Webhooks (standardwebhooks.com) have it.
struct WebhookSignature: Sendable {
    private let key: SymmetricKey

    /// Reads a secret: base64, with `whsec_` before it or without; nil where it is something else, or empty.
    init?(secret: String) {
        let encoded = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
        guard let bytes = Data(base64Encoded: encoded), !bytes.isEmpty else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The `webhook-signature` header.
    /// - Parameters:
    ///   - id: the `webhook-id` header.
    ///   - timestamp: the `webhook-timestamp` header.
    func header(id: String, timestamp: String, body: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(timestamp).\(body)".utf8), using: key)
        return "v1," + Data(code).base64EncodedString()
    }
}
