import AgentQueueModel
import Foundation
import Testing

/// `enqueue --image`
@Suite struct ImageOptionTests {
    private static let gif = Data("GIF89a\u{1}\u{0}\u{1}\u{0}".utf8)

    @Test("An image goes with the prompt, before it")
    func attaches() async throws {
        let sandbox = try Sandbox()
        try Self.gif.write(to: URL(filePath: "\(sandbox.folder)/dot.gif"))
        let added = try await sandbox.run(
            "enqueue", "--image", "dot.gif", "--image", "https://example.com/a.png", "What do they show?")
        #expect(added.status == 0, "\(added.error)")
        let request = try #require(try await sandbox.run("show", "1", "--json").json.first?["request"])
        let content = try #require(request["messages"]?.array?.first?["content"]?.array)
        #expect(content.map { $0["type"] } == ["image_url", "image_url", "text"])
        #expect(content[0]["image_url"]?["url"] == .string("data:image/gif;base64,\(Self.gif.base64EncodedString())"))
        #expect(content[1]["image_url"]?["url"] == "https://example.com/a.png")
    }

    @Test("A file that is no image, or none, is refused, and so is an image without a prompt")
    func refuses() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("notes.png", "plain text")
        let other = try await sandbox.run("enqueue", "--image", "notes.png", "What is it?")
        #expect(other.status == 65)
        #expect(other.sentence == "'notes.png' is not an image that models read (PNG, JPEG, GIF or WebP)")
        #expect(try await sandbox.run("enqueue", "--image", "none.png", "What is it?").status == 64)
        let bare = try await sandbox.run("enqueue", "--image", "notes.png", "--embed", "text")
        #expect(bare.status == 64)
        #expect(bare.sentence == "--image requires a prompt; a line of a file has images in its messages")
    }
}
