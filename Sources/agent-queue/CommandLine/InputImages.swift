import AgentQueue
import AgentQueueModel
import ArgumentParser

/// `--image`: pictures that go with a prompt.
enum InputImages {
    static let help = ArgumentHelp(
        "Send an image (PNG, JPEG, GIF or WebP) or its https address with the prompt. Repeatable.", valueName: "file")
    static let extensions = ["png", "jpg", "jpeg", "gif", "webp"]

    /// The part of a message with the image at a path or address.
    ///
    /// - Throws: `CommandFailure` or `InputError` if the file cannot be read or is not an image.
    static func read(_ path: String) throws -> JSONValue {
        if path.hasPrefix("https://") { return ImagePart.make(address: path) }
        return try ImagePart.make(try InputText.bytes(path, subject: "the image"), named: path)
    }
}
