import AgentQueueDialects
import Foundation
import HTTPTypes

/// All routes of the gateway, and the errors for paths that do not exist.
struct RouteTable: Sendable {
    struct Match: Sendable {
        let route: Route
        let parameters: [String: String]
    }

    let routes: [Route]
    private let fixed: [String: [Route]]
    private let variable: [(segments: [Substring], route: Route)]
    private let prefix: String

    /// - Parameter prefix: the path of `serve.public_url`, such as `/ai`; empty for none. Paths are found with and without it, since some
    ///   proxies remove it.
    init(_ routes: [Route], prefix: String = "") {
        self.routes = routes
        self.prefix = prefix
        fixed = Dictionary(grouping: routes.filter { !$0.path.contains("{") }, by: \.path)
        variable = routes.filter { $0.path.contains("{") }.map { ($0.path.split(separator: "/"), $0) }
    }

    /// A request's path below the prefix, without the query.
    func path(of target: String) -> String {
        var path = target.prefix { $0 != "?" && $0 != "#" }
        // The absolute form, which is meant for proxies.
        for scheme in ["http://", "https://"] where path.lowercased().hasPrefix(scheme) {
            path = path.dropFirst(scheme.count).drop { $0 != "/" }
        }
        if !prefix.isEmpty, path == prefix || path.hasPrefix(prefix + "/") { path = path.dropFirst(prefix.count) }
        return path.isEmpty ? "/" : String(path)
    }

    /// - Throws: `GatewayError` if no route has this path, or none of those that do takes this method.
    func match(_ method: HTTPRequest.Method, _ path: String) throws(GatewayError) -> Match {
        let found = candidates(path)
        guard !found.isEmpty else { throw Self.notFound(path) }
        if let match = found.first(where: { $0.route.method == method }) { return match }
        if method == .head, let match = found.first(where: { $0.route.method == .get }) { return match }
        var error = GatewayError(.methodNotAllowed, "\(path) does not take \(method.rawValue): use \(Self.allowed(found)).")
        error.allowedMethods = Self.allowed(found)
        throw error
    }

    /// The methods that a path takes; empty if there is no such path.
    func methods(_ path: String) -> String { Self.allowed(candidates(path)) }

    private static func allowed(_ found: [Match]) -> String {
        var methods = Set(found.map(\.route.method.rawValue))
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods.sorted().joined(separator: ", ")
    }

    private func candidates(_ path: String) -> [Match] {
        if let routes = fixed[path] { return routes.map { Match(route: $0, parameters: [:]) } }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        return variable.compactMap { pattern in
            Self.parameters(pattern.segments, segments).map { Match(route: pattern.route, parameters: $0) }
        }
    }

    private static func parameters(_ pattern: [Substring], _ segments: ArraySlice<Substring>) -> [String: String]? {
        var parameters: [String: String] = [:]
        var rest = segments
        for part in pattern {
            guard let segment = rest.first, !segment.isEmpty else { return nil }
            guard part.hasPrefix("{") else {
                guard part == segment else { return nil }
                rest = rest.dropFirst()
                continue
            }
            let name = part.dropFirst().dropLast()
            let takesRest = name.hasSuffix("...")
            guard let value = decode(takesRest ? rest.joined(separator: "/")[...] : segment) else { return nil }
            parameters[String(takesRest ? name.dropLast(3) : name)] = value
            rest = takesRest ? [] : rest.dropFirst()
        }
        return rest.isEmpty ? parameters : nil
    }

    /// Resolves `%XX`; nil if the text is not UTF-8 then.
    static func decode(_ text: some StringProtocol) -> String? { String(text).removingPercentEncoding }

    /// The members of a request's query.
    static func query(of target: String) -> [(name: String, value: String)] {
        guard let mark = target.firstIndex(of: "?") else { return [] }
        let query = target[target.index(after: mark)...].prefix { $0 != "#" }
        return query.split(separator: "&").compactMap { member in
            let parts = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ") }
            guard let name = decode(parts[0]), let value = decode(parts.count > 1 ? parts[1] : "") else { return nil }
            return (name, value)
        }
    }

    private static func notFound(_ path: String) -> GatewayError {
        for (known, help) in elsewhere where path == known || path.hasPrefix(known + "/") {
            return GatewayError(.notFound, "The gateway does not offer \(known): \(help).")
        }
        return GatewayError(.notFound, "There is nothing at this path: see the paths that docs/gateway.md lists.")
    }

    /// Paths of the APIs that are not offered, and what to use instead.
    private static let elsewhere: [(path: String, help: String)] = [
        ("/v1/completions", "use POST /v1/chat/completions"),
        ("/v1/complete", "use POST /v1/messages"),
        ("/v1/assistants", "use POST /v1/responses"),
        ("/v1/threads", "use POST /v1/responses with previous_response_id"),
        ("/v1/conversations", "use POST /v1/responses with previous_response_id"),
        ("/v1/audio", "call the provider itself"),
        ("/v1/images", "call the provider itself"),
        ("/v1/videos", "call the provider itself"),
        ("/v1/moderations", "call the provider itself"),
        ("/v1/realtime", "use POST /v1/responses with \"stream\": true"),
        ("/v1/fine_tuning", "call the provider itself"),
        ("/v1/vector_stores", "call the provider itself"),
        ("/v1/uploads", "use POST /v1/files"),
        ("/v1/skills", "call the provider itself"),
        ("/chat/completions", "the base URL of an OpenAI client ends in /v1"),
        ("/responses", "the base URL of an OpenAI client ends in /v1"),
        ("/embeddings", "the base URL of an OpenAI client ends in /v1"),
        ("/models", "the base URL of an OpenAI client ends in /v1"),
        ("/v1/v1", "the base URL of an Anthropic client does not end in /v1"),
    ]
}
