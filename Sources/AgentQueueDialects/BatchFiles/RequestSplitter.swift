import AgentQueueModel

/// Cuts the body of Anthropic's batches, `{"requests": [{…}, …]}`, into its requests as its pieces come. It holds one request and one piece.
///
/// It finds where the requests begin and end. What is inside them is checked by whoever parses them.
struct RequestSplitter: Sendable {
    private enum Expected {
        case body
        case keyOrEnd
        case key
        case colon
        case value
        case commaOrEnd
        case requestOrEnd
        case request
        case commaOrEndOfRequests
        case nothing
    }

    /// A value whose bytes are being collected.
    private enum Value {
        case key
        case member
        case request
    }

    private let longest: Int
    private var expected = Expected.body
    private var value: Value?
    private var bytes: [UInt8] = []
    private var key = ""
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isScalar = false
    private var hasRequests = false
    /// How many requests have begun.
    private var count = 0

    /// How long what is not a request may be.
    private static let longestMember = 65_536

    /// - Parameter longest: the most bytes of a request.
    init(longest: Int) { self.longest = longest }

    /// Returns the requests that a piece completes.
    mutating func feed(_ piece: [UInt8]) throws(BatchLineError) -> [[UInt8]] {
        var requests: [[UInt8]] = []
        var place = 0
        while place < piece.count {
            if let value {
                let end = scan(piece, from: place)
                try collect(piece[place..<end.place])
                place = end.place
                if end.isWhole { try finish(value, &requests) }
            } else {
                try begin(piece[place])
                // The first byte of a value is scanned with the rest of it.
                if value == nil { place += 1 }
            }
        }
        return requests
    }

    /// Checks that the body has ended.
    func finish() throws(BatchLineError) {
        guard expected == .nothing else {
            throw BatchLineError("invalid_json", "The body ends within its JSON: send all of it.")
        }
        guard hasRequests else {
            throw BatchLineError("missing_required_parameter", "requests is missing: send an array of requests.", param: "requests")
        }
    }

    // MARK: Between values

    private mutating func begin(_ byte: UInt8) throws(BatchLineError) {
        if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { return }
        switch (expected, byte) {
        case (.body, UInt8(ascii: "{")): expected = .keyOrEnd
        case (.keyOrEnd, UInt8(ascii: "}")), (.commaOrEnd, UInt8(ascii: "}")): expected = .nothing
        case (.keyOrEnd, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")): start(.key)
        case (.colon, UInt8(ascii: ":")): expected = .value
        case (.value, _) where key == "requests":
            guard byte == UInt8(ascii: "[") else {
                throw BatchLineError("invalid_type", "requests must be an array of requests.", param: "requests")
            }
            guard !hasRequests else {
                throw BatchLineError("invalid_json", "The body has requests twice: leave one out.", param: "requests")
            }
            hasRequests = true
            expected = .requestOrEnd
        case (.value, _) where Self.beginsValue(byte): start(.member)
        case (.commaOrEnd, UInt8(ascii: ",")): expected = .key
        case (.requestOrEnd, UInt8(ascii: "]")), (.commaOrEndOfRequests, UInt8(ascii: "]")): expected = .commaOrEnd
        case (.requestOrEnd, _) where Self.beginsValue(byte), (.request, _) where Self.beginsValue(byte):
            count += 1
            start(.request)
        case (.commaOrEndOfRequests, UInt8(ascii: ",")): expected = .request
        default:
            throw BatchLineError(
                "invalid_json", "The body is not valid JSON\(count > 0 ? " after request \(count)" : ""): send an object with requests.")
        }
    }

    private static func beginsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"): false
        default: true
        }
    }

    private mutating func start(_ kind: Value) {
        value = kind
        bytes = []
        (depth, isInString, isEscaped, isScalar) = (0, false, false, false)
    }

    // MARK: Within a value

    /// Goes on to the end of the value, or of the piece.
    private mutating func scan(_ piece: [UInt8], from start: Int) -> (place: Int, isWhole: Bool) {
        var place = start
        while place < piece.count {
            let byte = piece[place]
            if isInString {
                place += 1
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if depth == 0 { return (place, true) }
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                if isScalar { return (place, true) }
                isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if isScalar { return (place, true) }
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if isScalar { return (place, true) }
                depth -= 1
                if depth == 0 { return (place + 1, true) }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                if isScalar { return (place, true) }
            default:
                if depth == 0 { isScalar = true }
            }
            place += 1
        }
        return (place, false)
    }

    private mutating func collect(_ part: ArraySlice<UInt8>) throws(BatchLineError) {
        let most = value == .request ? longest : Self.longestMember
        guard bytes.count + part.count <= most else {
            throw value == .request
                ? BatchLineError(BatchLineError.tooLarge, "The request is longer than \(most) bytes.", line: count)
                : BatchLineError("invalid_json", "The body holds something long that is not in requests: leave it out.")
        }
        bytes += part
    }

    private mutating func finish(_ kind: Value, _ requests: inout [[UInt8]]) throws(BatchLineError) {
        value = nil
        if kind == .request {
            requests.append(bytes)
            expected = .commaOrEndOfRequests
            bytes = []
            return
        }
        let parsed: JSONValue
        do { parsed = try JSONValue.parse(bytes) } catch {
            throw BatchLineError("invalid_json", "The body is not valid JSON: send an object with requests.")
        }
        bytes = []
        if kind == .key {
            key = parsed.string ?? ""
            expected = .colon
        } else {
            expected = .commaOrEnd
        }
    }
}
