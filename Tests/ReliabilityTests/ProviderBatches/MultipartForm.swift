import Foundation

/// The parts of a `multipart/form-data` body, read as a server reads them (RFC 7578): by the boundary, byte by byte.
struct MultipartForm {
    /// One part.
    struct Part: Equatable {
        var name: String
        var filename: String?
        var body: [UInt8]
    }

    /// Why a body is none.
    struct Malformed: Error {
        var reason: String
    }

    /// In their order.
    var parts: [Part] = []

    /// The first part of a name.
    subscript(name: String) -> Part? { parts.first { $0.name == name } }

    /// - Parameter contentType: the request's, which names the boundary.
    init(_ body: [UInt8], contentType: String?) throws(Malformed) {
        let fields = (contentType ?? "").split(separator: ";").map { $0.drop { $0 == " " } }
        guard fields.first == "multipart/form-data", let field = fields.first(where: { $0.hasPrefix("boundary=") }) else {
            throw Malformed(reason: "no boundary in content type '\(contentType ?? "")'")
        }
        let boundary = field.dropFirst("boundary=".count).filter { $0 != "\"" }
        guard (1...70).contains(boundary.utf8.count) else { throw Malformed(reason: "a boundary of \(boundary.utf8.count) bytes") }
        let delimiter = Array("--\(boundary)".utf8)
        guard body.starts(with: delimiter) else { throw Malformed(reason: "the body does not begin with the boundary") }
        var rest = body[delimiter.count...]
        while !rest.starts(with: "--".utf8) {
            guard rest.starts(with: "\r\n".utf8) else { throw Malformed(reason: "no line end behind a boundary") }
            rest = rest.dropFirst(2)
            guard let end = rest.firstRange(of: Array("\r\n".utf8) + delimiter) else { throw Malformed(reason: "no closing boundary") }
            parts.append(try Self.part(rest[..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        guard rest.elementsEqual("--\r\n".utf8) || rest.elementsEqual("--".utf8) else {
            throw Malformed(reason: "something behind the closing boundary")
        }
    }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> Part {
        guard let end = bytes.firstRange(of: "\r\n\r\n".utf8) else { throw Malformed(reason: "a part without an empty line") }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        for line in head.components(separatedBy: "\r\n") where line.lowercased().hasPrefix("content-disposition: form-data;") {
            guard let name = parameter("name", in: line) else { continue }
            return Part(name: name, filename: parameter("filename", in: line), body: Array(bytes[end.upperBound...]))
        }
        throw Malformed(reason: "a part without a name: \(head)")
    }

    private static func parameter(_ name: String, in line: String) -> String? {
        guard let start = line.range(of: "; \(name)=\"")?.upperBound, let end = line[start...].firstIndex(of: "\"") else { return nil }
        return String(line[start..<end])
    }
}
