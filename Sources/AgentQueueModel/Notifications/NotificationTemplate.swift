/// The body that a webhook posts in place of a notification's own: JSON with tags such as `{{summary}}`, for receivers that want a form of
/// their own (`{"text": "{{summary}}"}`). A tag in a JSON string becomes escaped text, any other one a JSON value, so that no name can
/// break the JSON.
package struct NotificationTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case text(String)
        case tag(String, isInString: Bool)
    }

    private let parts: [Part]

    /// Reads a template.
    /// - Throws: `InvalidText` for an unknown tag, and for what would not be JSON.
    package init(_ text: String) throws(InvalidText) {
        parts = try Self.parts(of: text)
        for kind in NotificationKind.allCases {
            do {
                _ = try JSONValue.parse(body(of: Self.sample(kind)))
            } catch {
                throw InvalidText("is not JSON with its tags filled in: \(error.description) (such as '{\"text\": \"{{summary}}\"}')")
            }
        }
    }

    /// Splits a template, following which of its text is in a JSON string.
    private static func parts(of text: String) throws(InvalidText) -> [Part] {
        var parts: [Part] = []
        var (plain, isInString, isEscaped) = ("", false, false)
        var rest = text[...]
        while let character = rest.first {
            guard rest.hasPrefix("{{") else {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = isInString
                } else if character == "\"" {
                    isInString.toggle()
                }
                plain.append(rest.removeFirst())
                continue
            }
            guard let end = rest.firstRange(of: "}}") else { throw InvalidText("has a tag that begins with {{ and has no }}") }
            let name = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end.lowerBound]).filter { $0 != " " }
            guard names.contains(name) else {
                let hint = Suggestion.hint(for: name, in: names)
                let help = hint.isEmpty ? " (there are \(names.joined(separator: ", ")))" : hint
                throw InvalidText("has an unknown tag \(InvalidText.quoted(name))\(help)")
            }
            if !plain.isEmpty { parts.append(.text(plain)) }
            plain = ""
            parts.append(.tag(name, isInString: isInString))
            rest = rest[end.upperBound...]
        }
        if !plain.isEmpty { parts.append(.text(plain)) }
        return parts
    }

    /// The body for a notification.
    /// - Parameter notification: its own body, an object.
    package func body(of notification: JSONValue) -> String {
        parts.map { part in
            switch part {
            case .text(let text): return text
            case .tag(let name, let isInString):
                let value = Self.value(name, of: notification)
                guard isInString else { return value.text }
                let text = value.string ?? (value.isNull ? "" : value.text)
                return String(JSONValue.string(text).text.dropFirst().dropLast())
            }
        }.joined()
    }

    // MARK: Values

    /// The tags: members of notifications, and those that are made of them.
    package static let names = [
        "summary", "status", "kind", "id", "name", "state", "queue", "target", "batch", "custom_id", "attempts", "jobs", "calls",
        "completed",
        "cancelled", "failed", "cost_usd", "finished_at",
    ]

    private static func value(_ name: String, of notification: JSONValue) -> JSONValue {
        switch name {
        case "summary": .string(summary(of: notification))
        case "status": .string(status(of: notification))
        case "name": notification["name"] ?? notification["custom_id"] ?? .null
        case "failed": notification["failed"] ?? notification["discarded"] ?? .null
        default: notification[name] ?? .null
        }
    }

    /// The state as people say it.
    private static func status(of notification: JSONValue) -> String {
        let state = notification["state"]?.string ?? ""
        return state == "discarded" ? "failed" : state
    }

    /// One sentence, without a full stop: `batch monday failed: 99 of 100 jobs completed, 1 failed`.
    private static func summary(of notification: JSONValue) -> String {
        let (status, id) = (status(of: notification), notification["id"]?.text ?? "")
        let name = value("name", of: notification).string
        func count(_ key: String) -> Int { value(key, of: notification).int ?? 0 }
        switch notification["kind"]?.string {
        case NotificationKind.batch.rawValue:
            let failed = count("failed") > 0 ? ", \(count("failed")) failed" : ""
            let cancelled = count("cancelled") > 0 ? ", \(count("cancelled")) cancelled" : ""
            return "batch \(name ?? id) \(status): \(count("completed")) of \(count("jobs")) jobs completed\(failed)\(cancelled)"
        case NotificationKind.run.rawValue:
            let failed = count("failed") > 0 ? ", \(count("failed")) failed" : ""
            return
                "run \(id)\(name.map { " (\($0))" } ?? "") \(status): \(count("completed")) of \(count("calls")) calls completed\(failed)"
        default: return "job \(id)\(name.map { " (\($0))" } ?? "") \(status)"
        }
    }

    private static func sample(_ kind: NotificationKind) -> JSONValue {
        ["kind": .string(kind.rawValue), "id": 1, "state": "completed", "name": "\"\\\n", "cost_usd": .null]
    }
}
