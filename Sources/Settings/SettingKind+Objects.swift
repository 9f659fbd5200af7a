import JobModel

extension SettingKind where Value == [JSONValue.Member] {
    /// Keys of anybody's choice with values of any type.
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
    /// The name of a pipeline, a mode or a role.
    static let name = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a name")
        guard TargetName.isProviderName(text) else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a name (letters, digits, _ and -)")
        }
        return text
    } show: {
        $0
    }

    /// `provider/model`, or a template that becomes one.
    static let targetTemplate = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a target, provider/model")
        return text.contains("{{") ? try Self.text(maxBytes: 1 << 10).parse(raw) : try Self.target.parse(raw)
    } show: {
        InvalidText.printable($0, limit: .max)
    }
}
