/// A key that no log, message or dump shows by accident: printing it gives `***`.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Hides a key; it is not checked.
    public init(_ text: String) {
        self.text = text
    }

    /// The key itself, for the one header that carries it.
    public func reveal() -> String { text }

    /// Always `***`.
    public var description: String { "***" }
    /// Always `***`, in a debugger too.
    public var debugDescription: String { "***" }
    /// Without children, so that `dump` shows nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
