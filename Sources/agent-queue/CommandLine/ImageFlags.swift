import AgentQueue
import AgentQueueModel
import ArgumentParser

/// `--image`: pictures that go with a prompt.
struct ImageFlags: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Send an image (PNG, JPEG, GIF or WebP) or its https address with the prompt. Repeatable.", valueName: "file"),
        completion: .file(extensions: ["png", "jpg", "jpeg", "gif", "webp"]))
    var image: [String] = []

    /// Puts the images into the draft of a prompt.
    ///
    /// - Throws: `CommandFailure` or `InputError` if a file cannot be read or is not an image.
    func attach(to draft: inout JobDraft) throws {
        draft.attach(
            images: try image.map { path in
                if path.hasPrefix("https://") { return ImagePart.make(address: path) }
                return try ImagePart.make(try InputText.bytes(path, subject: "the image"), named: path)
            })
    }
}
