import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings

/// The notifications of a configuration.
package struct NotificationSet: NotificationSender {
    private let settings: [String: NotificationSettings]
    private let environment: [String: String]
    private let transport: HTTPTransport
    private let now: @Sendable () -> Int64

    /// More of a receiver's answer is not read, in bytes: only its status counts.
    private static let maxAnswerBytes = 1 << 20

    /// Makes them; calls nothing.
    /// - Parameters:
    ///   - environment: where secrets are looked up, and what commands are given, with what they are told.
    ///   - now: wall clock, ms.
    package init(_ settings: Settings, environment: [String: String], now: @escaping @Sendable () -> Int64) {
        self.settings = settings.notifications
        var environment = environment
        // A command is no child of a supervisor, whatever it starts.
        environment["AGENT_WORKER_SUPERVISED"] = nil
        self.environment = environment
        self.now = now
        // It retries nothing: each attempt is on record.
        transport = HTTPTransport(
            HTTPTransport.Configuration(
                poolSize: 16, connectTimeout: settings.http.connectTimeout.milliseconds, maxRetries: 0,
                maxAnswerBytes: Self.maxAnswerBytes))
    }

    /// How long one attempt of a notification may take, in ms, and how many there are; nil for one that is not configured.
    package func bounds(of notification: String) -> (timeout: Int64, maxAttempts: Int)? {
        settings[notification].map { ($0.timeout.milliseconds, $0.maxAttempts) }
    }

    /// Makes one attempt: runs the command, or posts to the webhook.
    package func send(_ notice: JobNotification) async -> NotificationOutcome {
        guard let notification = settings[notice.notification] else { return .failed("there is no such notification") }
        let timeout = notification.timeout.milliseconds
        if let command = notification.command {
            return await CommandNotification(command: command, timeout: timeout, environment: environment).send(notice)
        }
        guard let url = notification.url else { return .failed("it says neither command nor url") }
        switch notification.resolveSecret(environment: environment) {
        case .notNeeded:
            return await Webhook(url: url, signature: nil, timeout: timeout, transport: transport, now: now).send(notice)
        case .found(let secret):
            guard let signature = WebhookSignature(secret: secret.reveal()) else {
                return .failed("its secret is not one (whsec_ and base64)")
            }
            return await Webhook(url: url, signature: signature, timeout: timeout, transport: transport, now: now).send(notice)
        case .missing(let reason): return .failed("there is no secret to sign with: \(reason)")
        }
    }

    /// Closes connections, after the last notice.
    package func shutdown() async throws { try await transport.shutdown() }
}

/// The names by which ends are told.
package enum NotificationName {
    /// The most that are told of one end.
    static let most = 16

    /// Checks names that a user gave.
    /// - Throws: `InputError` for one that the configuration does not have.
    package static func check(_ names: [String], in context: IntakeContext) throws(InputError) {
        guard names.count <= most else { throw InputError("at most \(most) notifications can be told of one end", kind: .usage) }
        for name in names where !context.notificationNames.contains(name) {
            var help = Suggestion.hint(for: name, in: context.notificationNames)
            if help.isEmpty {
                let known = context.notificationNames.prefix(20).joined(separator: ", ")
                help = known.isEmpty ? " (the configuration has none)" : " (configured: \(known))"
            }
            throw InputError("unknown notification \(InvalidText.quoted(name))\(help)", kind: .usage)
        }
    }
}
