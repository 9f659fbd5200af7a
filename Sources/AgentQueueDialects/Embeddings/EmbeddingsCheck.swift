import AgentQueueModel

/// A client's request to embeddings.
enum EmbeddingsCheck {
    private static let types: [String: MemberType] = [
        "dimensions": .wholeNumber(1...Int.max), "encoding_format": .string, "user": .string,
    ]

    static func check(_ body: JSONValue) throws(RequestError) {
        try body.check(types)
        if let format = body.given("encoding_format"), format != "float", format != "base64" {
            throw RequestError("encoding_format must be float or base64", param: "encoding_format")
        }
        let inputs = try self.inputs(body)
        guard inputs.count <= JobLimits.maxEmbedInputs else {
            throw RequestError("input has \(inputs.count) texts (at most \(JobLimits.maxEmbedInputs))", param: "input")
        }
        guard inputs.allSatisfy({ $0 != "" && $0 != [] }) else { throw RequestError("input must not hold an empty text", param: "input") }
    }

    /// The inputs as a list of texts, or of texts' tokens.
    static func inputs(_ body: JSONValue) throws(RequestError) -> [JSONValue] {
        guard let input = body.given("input") else { throw RequestError("input is missing", param: "input") }
        if input.string != nil { return [input] }
        guard let elements = input.array, let first = elements.first else {
            throw RequestError("input must be a string or a list that is not empty", param: "input")
        }
        if first.string != nil, elements.allSatisfy({ $0.string != nil }) { return elements }
        let lists = first.array == nil ? [elements] : elements.map { $0.array ?? [] }
        guard lists.allSatisfy({ list in list.allSatisfy { ($0.int ?? -1) >= 0 } }),
            first.array == nil || elements.allSatisfy({ $0.array != nil })
        else { throw RequestError("input must be a string, a list of strings, or lists of tokens (whole numbers)", param: "input") }
        return lists.map(JSONValue.array)
    }

    /// The canonical members.
    static func canonical(_ members: [JSONValue.Member], _ inputs: [JSONValue]) -> [JSONValue.Member] {
        members.filter { $0.key != "encoding_format" }.map { $0.key == "input" ? .init("input", .array(inputs)) : $0 }
    }
}
