/// A type that values of the configuration have: how one is read, checked, and shown.
struct SettingKind<Value: Sendable>: Sendable {
    let parse: @Sendable (RawSetting) throws(InvalidText) -> Value
    /// The value as it would be written in a file; nil for one that is not there.
    let show: @Sendable (Value) -> String?

    init(parse: @escaping @Sendable (RawSetting) throws(InvalidText) -> Value, show: @escaping @Sendable (Value) -> String?) {
        self.parse = parse
        self.show = show
    }
}
