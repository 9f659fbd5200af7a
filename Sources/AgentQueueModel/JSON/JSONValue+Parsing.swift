extension JSONValue {
    /// The maximum depth of nested arrays and objects. Each level takes less than 3 KiB of the stack, also in a debug build.
    package static let maxDepth = 512

    /// Parses one JSON text (RFC 8259) strictly: valid UTF-8, no duplicate keys, nothing after the value, and no nesting beyond
    /// ``maxDepth``.
    /// - Throws: `JSONError`.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        return try parser.document()
    }

    /// Parses one JSON text from a string, strictly (RFC 8259): no duplicate keys, nothing after the value, and at most 512 levels of
    /// nesting.
    /// - Throws: `JSONError` if the text is not valid JSON.
    public static func parse(_ text: String) throws(JSONError) -> JSONValue {
        var text = text
        let result: Result<JSONValue, JSONError> = text.withUTF8 { utf8 in
            Result { () throws(JSONError) in try parse(UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// Parses one JSON text from bytes.
    /// - Throws: `JSONError`.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { raw in
            Result { () throws(JSONError) in try parse(raw) }
        }
        return try result.get()
    }
}

/// Why a text is not valid JSON.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as the end of a sentence.
    package let problem: String
    /// The position in bytes from the beginning, from 0.
    package let offset: Int

    init(_ problem: String, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    /// The message, as shown to users. It counts bytes from 1, unlike `offset`.
    public var description: String { "not valid JSON at byte \(offset + 1): \(problem)" }
}
