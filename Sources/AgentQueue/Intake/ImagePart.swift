import AgentQueueModel
import FoundationEssentials

/// An image as a part of a message. Every kind of provider translates it.
package enum ImagePart {
    /// The largest image: as base64 it still fits into a request.
    package static let maxBytes = 16 << 20

    /// Makes the part from the content of a file.
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `InputError` if it is not an image that models read: PNG, JPEG, GIF or WebP, by its first bytes.
    package static func make(_ bytes: [UInt8], named name: String) throws(InputError) -> JSONValue {
        guard !bytes.isEmpty else { throw InputError("the image \(InvalidText.quoted(name)) is empty", kind: .badData) }
        guard let type = mediaType(bytes) else {
            throw InputError("\(InvalidText.quoted(name)) is not an image that models read (PNG, JPEG, GIF or WebP)", kind: .badData)
        }
        guard bytes.count <= maxBytes else {
            throw InputError(
                "the image \(InvalidText.quoted(name)) is larger than \(ByteCountText.format(Int64(maxBytes)))", kind: .badData)
        }
        return part("data:\(type);base64,\(Data(bytes).base64EncodedString())")
    }

    /// Makes the part from an address, which the provider fetches itself.
    package static func make(address: String) -> JSONValue { part(address) }

    private static func part(_ url: String) -> JSONValue {
        .object([.init("type", "image_url"), .init("image_url", .object([.init("url", .string(url))]))])
    }

    private static func mediaType(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if bytes.starts(with: Array("GIF87a".utf8)) || bytes.starts(with: Array("GIF89a".utf8)) { return "image/gif" }
        if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) { return "image/webp" }
        return nil
    }
}

extension JobDraft {
    /// Puts images before the prompt, in one message of the user.
    package mutating func attach(images: [JSONValue]) {
        guard !images.isEmpty, let text = prompt else { return }
        let part = JSONValue.object([.init("type", "text"), .init("text", .string(text))])
        messages = [.object([.init("role", "user"), .init("content", .array(images + [part]))])]
        prompt = nil
    }
}
