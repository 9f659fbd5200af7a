import Glibc

/// The images inside a request, as data URLs. Providers charge for an image by its size in pixels, not for its base64, which would count as
/// hundreds of thousands of tokens.
struct EmbeddedImages {
    private(set) var count = 0
    /// The length of their data URLs.
    private(set) var bytes = 0

    /// The tokens of a picture as large as the providers read it, for limits of tokens a minute.
    static let usualTokens = 1_600
    /// The most tokens that a provider counts for one picture: OpenAI's small models count more than 30,000 for a large one.
    static let maxTokens = 50_000
    /// A shorter request is not searched: in it, an image is hardly more than other text.
    private static let shortBody = 8_192

    init(in body: String) {
        guard body.utf8.count >= Self.shortBody else { return }
        var found = (count: 0, bytes: 0)
        body.withCString { text in
            var place = text
            while let start = strstr(place, "data:image/") {
                let end = strchr(start, 0x22) ?? start + strlen(start)
                found.count += 1
                found.bytes += start.distance(to: end)
                place = UnsafePointer(end)
            }
        }
        (count, bytes) = found
    }

    /// What they cost at most, in tokens.
    var worstTokens: Int { min(bytes, count * Self.maxTokens) }
    /// What they take of a limit of tokens a minute.
    var expectedTokens: Int { min(bytes, count * Self.usualTokens) }
}
