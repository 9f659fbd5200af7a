import AgentQueueModel

/// Reads a form (`multipart/form-data`) as it arrives. It holds no more than one piece of it and the length of its delimiter.
package struct MultipartParser: Sendable {
    package enum Event: Sendable, Equatable {
        /// A part begins. Its bytes follow.
        case part(MultipartPart)
        case bytes([UInt8])
    }

    private enum Place {
        /// Before the first delimiter.
        case preamble
        /// Behind a delimiter, which either ends the form or begins a part.
        case delimiter
        case headers
        case body
        case end
    }

    /// The most bytes of a part's headers.
    private static let longestHeaders = 8_192
    /// The most parts of a form.
    private static let mostParts = 64

    /// `CR LF -- boundary`.
    private let delimiter: [UInt8]
    private var buffer: [UInt8]
    private var place = Place.preamble
    private var parts = 0

    /// - Parameter contentType: the request's header.
    package init(contentType: String) throws(RequestError) {
        let value = HeaderParameters(contentType)
        guard let boundary = value["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw RequestError("content-type does not name the form's boundary of 1 to 70 characters.")
        }
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may begin the body, without a line end before it.
        buffer = [0x0D, 0x0A]
    }

    /// Whether the form has ended.
    package var isComplete: Bool { place == .end }

    /// Takes the next bytes and returns what they make known.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws(RequestError) -> [Event] {
        // What follows the last delimiter means nothing.
        guard place != .end else { return [] }
        buffer.append(contentsOf: bytes)
        var events: [Event] = []
        var start = 0
        while let next = try step(from: start, &events) { start = next }
        buffer.removeFirst(start)
        return events
    }

    /// Reads on from a place in the buffer. Returns how far it came; nil if that needs more bytes.
    private mutating func step(from start: Int, _ events: inout [Event]) throws(RequestError) -> Int? {
        switch place {
        case .preamble, .body:
            let isBody = place == .body
            if let found = buffer.firstIndex(of: delimiter, from: start) {
                if isBody, found > start { events.append(.bytes(Array(buffer[start..<found]))) }
                place = .delimiter
                return found + delimiter.count
            }
            // The end of the buffer may be the beginning of a delimiter.
            let safe = buffer.count - delimiter.count + 1
            guard safe > start else { return nil }
            if isBody { events.append(.bytes(Array(buffer[start..<safe]))) }
            return safe
        case .delimiter:
            guard buffer.count >= start + 2 else { return nil }
            if buffer[start] == 0x2D, buffer[start + 1] == 0x2D {
                place = .end
                return buffer.count
            }
            // Blanks may follow the delimiter.
            guard let line = buffer.firstIndex(of: [0x0D, 0x0A], from: start) else {
                guard buffer.count - start <= Self.longestHeaders else { throw Self.malformed }
                return nil
            }
            guard buffer[start..<line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else { throw Self.malformed }
            place = .headers
            // The line end stays, so that a part without headers has an empty line too.
            return line
        case .headers:
            guard let end = buffer.firstIndex(of: [0x0D, 0x0A, 0x0D, 0x0A], from: start), end - start <= Self.longestHeaders else {
                guard buffer.count - start <= Self.longestHeaders else { throw Self.malformed }
                return nil
            }
            parts += 1
            guard parts <= Self.mostParts else {
                throw RequestError("The form has more than \(Self.mostParts) parts: send the file and what belongs to it alone.")
            }
            events.append(.part(try MultipartPart(headers: buffer[start..<end])))
            place = .body
            return end + 4
        case .end: return nil
        }
    }

    fileprivate static let malformed = RequestError("The body is not a form: each part needs a boundary, headers and an empty line.")
}

/// What the headers of a form's part say.
package struct MultipartPart: Sendable, Equatable {
    package var name: String
    /// What the client calls the file; nil if the part is none.
    package var filename: String?
    package var mediaType: String?

    package init(name: String, filename: String? = nil, mediaType: String? = nil) {
        self.name = name
        self.filename = filename
        self.mediaType = mediaType
    }

    fileprivate init(headers: ArraySlice<UInt8>) throws(RequestError) {
        guard let text = String(validating: headers, as: UTF8.self) else { throw MultipartParser.malformed }
        var (name, filename, mediaType): (String?, String?, String?)
        for line in text.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw MultipartParser.malformed }
            switch parts[0].lowercased() {
            case "content-disposition":
                let value = HeaderParameters(String(parts[1]))
                name = value["name"]
                filename = value.extended("filename") ?? value["filename"]
            case "content-type": mediaType = String(parts[1].drop { $0 == " " })
            default: break
            }
        }
        guard let name else { throw RequestError("A part of the form has no name: send content-disposition: form-data; name=\"…\".") }
        self.init(name: name, filename: filename, mediaType: mediaType)
    }
}

/// The parameters of a header such as `form-data; name="file"`.
struct HeaderParameters {
    private var values: [String: String] = [:]

    init(_ header: String) {
        var rest = header[...].drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.popFirst(), character != "\"" {
                    // Browsers escape only quotes, so that a backslash before anything else is one.
                    if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                        rest = rest.dropFirst()
                        value.append(next)
                    } else {
                        value.append(character)
                    }
                }
                rest = rest.drop { $0 != ";" }
            } else {
                value = String(rest.prefix { $0 != ";" })
                rest = rest.dropFirst(value.count)
                while value.last == " " { value.removeLast() }
            }
            values[name.lowercased()] = values[name.lowercased()] ?? value
        }
    }

    /// A parameter's value, with the three characters that HTML has browsers write as `%22`, `%0D` and `%0A`.
    subscript(name: String) -> String? {
        values[name]?.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
    }

    /// The value of a parameter that is written as RFC 8187 has it: `filename*=UTF-8''%C3%A4`.
    func extended(_ name: String) -> String? {
        guard let value = values["\(name)*"] else { return nil }
        let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[2].utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Where a pattern of at least one byte is found first.
    fileprivate func firstIndex(of pattern: [UInt8], from start: Int) -> Int? {
        withUnsafeBufferPointer { bytes in
            pattern.withUnsafeBufferPointer { pattern in
                var index = start
                let last = bytes.count - pattern.count
                while index <= last {
                    guard let found = bytes[index...last].firstIndex(of: pattern[0]) else { return nil }
                    if (1..<pattern.count).allSatisfy({ bytes[found + $0] == pattern[$0] }) { return found }
                    index = found + 1
                }
                return nil
            }
        }
    }
}
