import AgentQueue
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings

/// Says which proxies and certificates are used.
package enum ConnectionsCheck {
    /// A finding for each way that is not the direct one with the system's certificates, and for each that cannot be used.
    package static func findings(_ settings: Settings, environment: [String: String]) -> [Finding] {
        var plans = settings.providers.keys.sorted().compactMap { name in
            settings.connection(ofProvider: name, environment: environment).map { ("provider \(name)", $0) }
        }
        plans += settings.notifications.sorted { $0.key < $1.key }.compactMap { name, notification in
            notification.url.map { ("notification \(name)", settings.connection(ofWebhook: $0, environment: environment)) }
        }
        var ways: [(finding: Way, subjects: [String])] = []
        for (subject, plan) in plans {
            guard let way = way(plan) else { continue }
            if let index = ways.firstIndex(where: { $0.finding == way }) {
                ways[index].subjects.append(subject)
            } else {
                ways.append((way, [subject]))
            }
        }
        return ways.map { way, subjects in
            let message = "\(subjects.joined(separator: ", ")): \(way.sentence)"
            return way.isUsable ? .good("network", message) : .note("network", message)
        }
    }

    private struct Way: Equatable {
        var sentence: String
        var isUsable: Bool
    }

    private static func way(_ plan: ConnectionPlan) -> Way? {
        do {
            _ = try plan.proxy()
            return plan.sentence.map { Way(sentence: $0, isUsable: true) }
        } catch {
            return Way(sentence: error.message, isUsable: false)
        }
    }
}

extension ConnectionPlan {
    /// The proxy without user and password, with what named it; nil without one.
    private var proxyWords: String? {
        // A proxy that cannot be used is the reason why its provider is not available.
        (try? proxy()).flatMap(\.self).map { "through the proxy \($0.address.shown) (\($0.source))" }
    }

    /// What is special about it; nil for a direct connection with the system's certificates.
    var sentence: String? {
        let files = [
            (tls.systemFile ?? tls.systemFolders).map { "the system's certificates are \($0.path) (\($0.source))" },
            tls.caFile.map { "also trusts \($0.path) (\($0.source))" },
            tls.clientCertificate.map { "identifies itself by \($0.path) (\($0.source))" },
        ]
        let parts = ([proxyWords] + files).compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// Members of a provider's JSON. Scripts rely on it: keys may be added but never renamed.
    var members: [JSONValue.Member] {
        let proxy = (try? proxy()).flatMap(\.self)
        return [
            .init("proxy", JobJSON.string(proxy?.address.shown)), .init("proxy_source", JobJSON.string(proxy?.source)),
            .init("ca_file", JobJSON.string(tls.caFile?.path)),
            .init("client_certificate", JobJSON.string(tls.clientCertificate?.path)),
        ]
    }
}
