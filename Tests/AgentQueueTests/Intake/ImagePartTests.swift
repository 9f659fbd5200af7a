import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueue

@Suite struct ImagePartTests {
    @Test(
        arguments: [
            ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1], "data:image/png;base64,iVBORw0KGgoB"),
            ([0xFF, 0xD8, 0xFF, 0xE0], "data:image/jpeg;base64,/9j/4A=="),
            (Array("GIF89a".utf8), "data:image/gif;base64,R0lGODlh"),
            (Array("RIFF....WEBP".utf8), "data:image/webp;base64,UklGRi4uLi5XRUJQ"),
        ] as [([UInt8], String)])
    func theTypeIsReadFromTheFirstBytes(_ bytes: [UInt8], _ url: String) throws {
        let part = try ImagePart.make(bytes, named: "picture.bin")
        #expect(part == ["type": "image_url", "image_url": ["url": .string(url)]])
    }

    @Test func whatIsNoImageIsRefused() {
        #expect(throws: InputError("'a.png' is not an image that models read (PNG, JPEG, GIF or WebP)", kind: .badData)) {
            try ImagePart.make(Array("%PDF-1.7".utf8), named: "a.png")
        }
        #expect(throws: InputError("the image 'a.png' is empty", kind: .badData)) { try ImagePart.make([], named: "a.png") }
        let large = [0xFF, 0xD8, 0xFF] + [UInt8](repeating: 0, count: ImagePart.maxBytes)
        #expect(throws: InputError("the image 'a.jpg' is larger than 16MiB", kind: .badData)) { try ImagePart.make(large, named: "a.jpg") }
    }

    @Test func imagesStandBeforeThePrompt() throws {
        var draft = JobDraft()
        (draft.prompt, draft.system) = ("What is this?", "Be brief.")
        draft.attach(images: [ImagePart.make(address: "https://example.com/a.png")])
        let body = try JSONValue.parse(outcome(of: draft).get().body)
        let messages = try #require(body["messages"]?.array)
        #expect(messages.map { $0["role"] } == ["system", "user"])
        #expect(messages[1]["content"]?.array?.map { $0["type"] } == ["image_url", "text"])
        #expect(messages[1]["content"]?.array?.last?["text"] == "What is this?")
    }

    /// The base64 of a photograph would count as millions of tokens: no daily limit in dollars would let it pass.
    @Test func anImageIsEstimatedByItsNumberAndNotItsBytes() throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        var model = ModelSettings()
        model.price = PriceSettings(inputPerMTok: 1, outputPerMTok: 1)
        model.maxOutputTokens = 100
        settings.models = ["openai/m": model]
        var draft = JobDraft()
        (draft.prompt, draft.model) = ("What is this?", "openai/m")
        let plain = try draft.validated(in: settings.intakeContext(now: 0))
        draft.attach(images: [try ImagePart.make([0xFF, 0xD8, 0xFF] + [UInt8](repeating: 7, count: 3 << 20), named: "a.jpg")])
        let job = try draft.validated(in: settings.intakeContext(now: 0))
        let cost = settings.worstCosts()
        let most = Double(EmbeddedImages.maxTokens + job.body.utf8.count - EmbeddedImages(in: job.body).bytes + 100) / 1_000_000
        #expect(abs((cost(job) ?? 0) - most) < 1e-12)
        #expect(EmbeddedImages(in: job.body).count == 1)
        #expect(EmbeddedImages(in: job.body).bytes > 4 << 20)
        #expect((EmbeddedImages(in: plain.body).count, EmbeddedImages(in: plain.body).bytes) == (0, 0))
    }
}
