import JobModel

/// A server's name for something, which becomes a part of an address.
enum RemoteID {
    /// The name that a value holds; nil where it holds none that can be printed and asked for.
    static func read(_ value: JSONValue?) -> String? {
        guard let id = value?.string, isUsable(id) else { return nil }
        return id
    }

    /// Whether a name can be printed and asked for.
    static func isUsable(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 256 && id != "." && id != ".." && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The name as one part of a path, or of a query.
    static func escaped(_ id: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in id.utf8 {
            if BatchRules.isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~") {
                text.append(byte)
            } else {
                text.append(contentsOf: [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
