import AgentQueueModel

extension SettingKind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self { (raw) throws(InvalidText) in
            let text = try raw.text(of: "a whole number", quotesAllowed: false)
            guard let value = Int(text) else { throw InvalidText("\(InvalidText.quoted(text)) is not a whole number") }
            guard range.contains(value) else {
                throw InvalidText("\(value) is out of range (\(range.lowerBound) to \(range.upperBound))")
            }
            return value
        } show: {
            String($0)
        }
    }
}

extension SettingKind where Value == Int64 {
    static func bytes(_ range: ClosedRange<Int64>) -> Self {
        Self { (raw) throws(InvalidText) in
            try ByteCountText.parse(raw.text(of: "a byte count"), in: range)
        } show: {
            ByteCountText.format($0)
        }
    }
}

extension SettingKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        Self { (raw) throws(InvalidText) in
            try DurationText.parse(raw.text(of: "a duration"), in: range)
        } show: {
            DurationText.format($0)
        }
    }
}

extension SettingKind where Value == Double {
    /// A decimal number within a range.
    static func number(_ range: ClosedRange<Double>) -> Self {
        Self { (raw) throws(InvalidText) in
            let text = try raw.text(of: "a number", quotesAllowed: false)
            // `Double` also accepts hexadecimal, "inf" and "nan", which people do not mean as numbers.
            guard text.utf8.allSatisfy("0123456789.eE+-".utf8.contains), let value = Double(text), value.isFinite else {
                throw InvalidText("\(InvalidText.quoted(text)) is not a number")
            }
            guard range.contains(value) else {
                let bounds = "\(Self.written(range.lowerBound)) to \(Self.written(range.upperBound))"
                throw InvalidText("\(Self.written(value)) is out of range (\(bounds))")
            }
            return value
        } show: {
            Self.written($0)
        }
    }

    /// Writes 3.0 as `3`.
    private static func written(_ value: Double) -> String {
        Int64(exactly: value).map(String.init) ?? String(value)
    }
}

extension SettingKind where Value == Bool {
    /// `true` or `false`, or YAML's other words for them.
    static let flag = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "true or false", quotesAllowed: false)
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw InvalidText("\(InvalidText.quoted(text)) is neither true nor false")
        }
    } show: {
        String($0)
    }
}

extension SettingKind where Value: CaseIterable & RawRepresentable<String> {
    static func choice() -> Self {
        Self { (raw) throws(InvalidText) in
            let words = Value.allCases.map(\.rawValue)
            let expected = words.joined(separator: ", ")
            let text = try raw.text(of: "one of \(expected)")
            guard let value = Value(rawValue: text) else {
                throw InvalidText("\(InvalidText.quoted(text)) is not one of \(expected)\(Suggestion.hint(for: text, in: words))")
            }
            return value
        } show: {
            $0.rawValue
        }
    }
}

extension SettingKind {
    /// An optional value; `null` removes an inherited one.
    static func optional<Wrapped>(_ kind: SettingKind<Wrapped>) -> Self where Value == Wrapped? {
        Self { (raw) throws(InvalidText) in
            raw.isNull ? nil : try kind.parse(raw)
        } show: { (value: Wrapped?) in
            value.flatMap(kind.show)
        }
    }

    static func list<Element>(of kind: SettingKind<Element>) -> Self where Value == [Element] {
        Self { (raw) throws(InvalidText) in
            guard case .list(let items) = raw.content else { throw InvalidText("expected a list (such as [a, b])") }
            var values: [Element] = []
            for item in items { values.append(try kind.parse(item)) }
            return values
        } show: { (values: [Element]) in
            "[" + values.compactMap(kind.show).joined(separator: ", ") + "]"
        }
    }
}

extension SettingKind where Value == [JSONValue.Member] {
    /// An object with any keys and values of any type.
    static let object = Self { (raw) throws(InvalidText) in
        guard case .mapping(let node) = raw.content else { throw InvalidText("expected keys and values") }
        do throws(YAMLFault) {
            guard case .object(let members) = try YAMLValue.json(node) else { return [] }
            return members
        } catch {
            let place = error.line.map { "on line \($0): " } ?? ""
            throw InvalidText(place + error.message)
        }
    } show: {
        InvalidText.printable(JSONValue.object($0).text, limit: .max)
    }
}

extension SettingKind where Value == String {
    static let name = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a name")
        guard TargetName.isProviderName(text) else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a name (letters, digits, _ and -)")
        }
        return text
    } show: {
        $0
    }

    /// `provider/model`, or a template that produces one.
    static let targetTemplate = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a target, provider/model")
        return text.contains("{{") ? try Self.text(maxBytes: 1 << 10).parse(raw) : try Self.target.parse(raw)
    } show: {
        InvalidText.printable($0, limit: .max)
    }
}
