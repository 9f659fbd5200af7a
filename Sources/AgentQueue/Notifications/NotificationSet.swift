import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueWorker

/// Sends the notifications of a configuration.
package struct NotificationSet: NotificationSender {
    private let settings: [String: NotificationSettings]
    private let environment: [String: String]
    /// The transport of each webhook, by name, or why there is none.
    private let webhooks: [String: Result<HTTPTransport, InvalidText>]
    private let transports: [HTTPTransport]
    private let now: @Sendable () -> Int64

    /// The maximum number of bytes read of a receiver's answer. Only its status matters.
    private static let maxAnswerBytes = 1 << 20

    /// Makes the notifications; sends nothing.
    /// - Parameters:
    ///   - environment: where secrets are looked up, and the environment of commands, to which each notification adds its variables.
    ///   - now: wall clock, in ms.
    package init(_ settings: Settings, environment: [String: String], now: @escaping @Sendable () -> Int64) {
        self.settings = settings.notifications
        var environment = environment
        // A worker that a command starts is not a child of this worker's supervisor.
        environment["AGENT_WORKER_SUPERVISED"] = nil
        environment["AGENT_WORKER_SHOWN"] = nil
        self.environment = environment
        self.now = now
        // No retries in the transport: each attempt is recorded.
        var transports = TransportSet(
            HTTPTransport.Configuration(
                // Each has its own connections, though they may go to the same host.
                poolSize: NotificationDispatcher.slots * max(1, self.settings.count),
                connectTimeout: settings.http.connectTimeout.milliseconds, maxRetries: 0,
                maxAnswerBytes: Self.maxAnswerBytes))
        var webhooks: [String: Result<HTTPTransport, InvalidText>] = [:]
        for (name, notification) in settings.notifications {
            guard let url = notification.url else { continue }
            do {
                webhooks[name] = .success(
                    try transports.transport(for: settings.connection(ofWebhook: url, environment: environment)))
            } catch {
                webhooks[name] = .failure(error)
            }
        }
        self.webhooks = webhooks
        self.transports = transports.transports
    }

    /// The time limit of an attempt of a notification, in ms, and the maximum number of attempts; nil for one that is not configured.
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
        guard let body = body(of: notice) else { return .failed("its body is not a template of JSON") }
        let transport: HTTPTransport
        switch webhooks[notice.notification] {
        case .success(let made): transport = made
        case .failure(let reason): return .failed("the webhook cannot be sent: \(reason.message)")
        case nil: return .failed("there is no such notification")
        }
        switch notification.resolveSecret(environment: environment) {
        case .notNeeded:
            return await Webhook(url: url, body: body, signature: nil, timeout: timeout, transport: transport, now: now).send(notice)
        case .found(let secret):
            guard let signature = WebhookSignature(secret: secret.reveal()) else {
                return .failed("its secret is not one (whsec_ and base64)")
            }
            return await Webhook(url: url, body: body, signature: signature, timeout: timeout, transport: transport, now: now).send(notice)
        case .missing(let reason): return .failed("there is no secret to sign with: \(reason)")
        }
    }

    /// What a webhook posts for a notification; nil if its template cannot be used.
    package func body(of notice: JobNotification) -> String? {
        guard let text = settings[notice.notification]?.body else { return notice.body }
        do {
            return try NotificationTemplate(text).body(of: try JSONValue.parse(notice.body))
        } catch {
            return nil
        }
    }

    /// Closes connections. Call it after the last notification.
    package func shutdown() async throws {
        for transport in transports { try await transport.shutdown() }
    }
}

/// The names of notifications.
package enum NotificationName {
    /// The maximum number of notifications for one end.
    static let most = 16

    /// Checks names that a user gave.
    /// - Throws: `InputError` for a name that is not configured.
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
