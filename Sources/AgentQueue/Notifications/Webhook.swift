import AgentQueueModel
import AgentQueueProviders
import Crypto
import Foundation
import NIOHTTP1

/// A notification that is posted to a URL.
struct Webhook: Sendable {
    let url: String
    /// What is posted: JSON.
    let body: String
    /// Nil for unsigned requests.
    let signature: WebhookSignature?
    /// In ms.
    let timeout: Int64
    let transport: HTTPTransport
    /// Wall clock, ms.
    let now: @Sendable () -> Int64

    /// Posts a notification once.
    func send(_ notice: JobNotification) async -> NotificationOutcome {
        let timestamp = "\(now() / 1_000)"
        var call = HTTPCall(method: "POST", url: url, body: Array(body.utf8))
        call.headers.add(name: "content-type", value: "application/json")
        call.headers.add(name: "user-agent", value: "agent-queue/\(Version.text)")
        call.headers.add(name: "webhook-id", value: notice.messageID)
        call.headers.add(name: "webhook-timestamp", value: timestamp)
        if let signature {
            let header = signature.header(id: notice.messageID, timestamp: timestamp, body: body)
            call.headers.add(name: "webhook-signature", value: header)
        }
        switch await transport.send(call, before: .now + .milliseconds(timeout)) {
        case .success(let answer): return outcome(answer)
        case .failure(let failure): return outcome(failure)
        }
    }

    private func outcome(_ answer: HTTPAnswer) -> NotificationOutcome {
        switch answer.status {
        case 200..<300: return .delivered
        case 410: return .refused("the receiver answered 410: it wants no more of these")
        default:
            let wait = answer.headers.first(name: "retry-after").flatMap { RetryAfter.wait($0, now: now()) }
            return .failed("the receiver answered \(answer.status)", wait: wait)
        }
    }

    private func outcome(_ failure: HTTPFailure) -> NotificationOutcome {
        switch failure {
        case .cancelled, .shutDown: .broken
        case .exhausted(let clause): .failed("the receiver was not called: \(clause)")
        case .timedOut, .stalled: .unanswered("the receiver had not answered after \(DurationText.format(.milliseconds(timeout)))")
        // The content does not matter and the status may have said that it was received, but the status was not read.
        case .tooLarge: .failed("the receiver's answer is too long")
        case .encoded(let name): .failed("the receiver's answer is in the encoding \(name), which was not asked for")
        case .unreachable(let clause), .untrusted(let clause): .unanswered("the receiver cannot be reached: \(clause)")
        case .broken(let clause): .unanswered("the exchange with the receiver broke off: \(clause)")
        case .unsendable(let clause): .failed("the webhook cannot be sent: \(clause)")
        }
    }
}

/// Signs requests according to Standard Webhooks (standardwebhooks.com).
struct WebhookSignature: Sendable {
    private let key: SymmetricKey

    /// Reads a secret: base64, with or without the prefix `whsec_`; nil if it is anything else, or empty.
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
