import AgentQueueModel

/// Writes vectors as an embeddings answer: as base64 of little-endian float32, or as the shortest decimals that read back as the same
/// float32. Either way not a bit is lost.
enum EmbeddingsReplyRenderer {
    static func body(of reply: ModelReply, _ context: ReplyContext) -> [UInt8] {
        let vectors = reply.embeddings ?? []
        var bytes = Array(#"{"object":"list","data":["#.utf8)
        for (index, vector) in vectors.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += #"{"object":"embedding","index":\#(index),"embedding":"#.utf8
            write(vector, to: &bytes, isBase64: context.isBase64)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes += #"],"model":"#.utf8
        JSONValue.string(reply.model ?? context.model).write(to: &bytes, sorted: false)
        let tokens = reply.usage.inputTokens
        bytes += #","usage":{"prompt_tokens":\#(tokens),"total_tokens":\#(tokens)}}"#.utf8
        return bytes
    }

    private static func write(_ vector: [Float], to bytes: inout [UInt8], isBase64: Bool) {
        if isBase64 {
            var raw: [UInt8] = []
            raw.reserveCapacity(4 * vector.count)
            for number in vector { withUnsafeBytes(of: number.bitPattern.littleEndian) { raw.append(contentsOf: $0) } }
            bytes.append(UInt8(ascii: "\""))
            bytes += Base64.encode(raw).utf8
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(UInt8(ascii: "["))
            for (place, number) in vector.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += "\(number)".utf8
            }
            bytes.append(UInt8(ascii: "]"))
        }
    }
}
