/// A file as read: its text, and who may read it, taken from the same open descriptor.
public struct FileContents: Equatable, Sendable {
    /// The whole text.
    public let text: String
    /// The permission bits, such as 0o600.
    public let permissions: UInt32

    /// Makes contents; by default, of a file that its owner alone may read.
    public init(text: String, permissions: UInt32 = 0o600) {
        self.text = text
        self.permissions = permissions
    }
}
