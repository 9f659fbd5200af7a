import AgentQueueModel

/// The bytes of a JSON object, of which single members can be replaced while all others stay as they are: in their order, with their
/// numbers, escapes and spaces.
package struct RawBody: Sendable, Equatable {
    private struct Place: Equatable {
        let key: String
        /// From the key's first quotation mark to the value's end.
        var member: Range<Int>
        var value: Range<Int>
    }

    /// The object as it is now.
    package private(set) var bytes: [UInt8]
    private var places: [Place]

    /// Finds the members of an object. What is inside them is not checked.
    /// - Parameter bytes: valid JSON.
    /// - Throws: `RequestError` if it is not an object, or has a member twice: two readers could then see different ones.
    package init(_ bytes: [UInt8]) throws(RequestError) {
        self.bytes = bytes
        places = try Self.places(in: bytes)
    }

    /// Finds the members of an object.
    package init(_ text: String) throws(RequestError) { try self.init(Array(text.utf8)) }

    /// The object as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The names of the members, in order.
    package var keys: [String] { places.map(\.key) }

    /// A member's value as it is written; nil if there is no such member.
    package func written(_ key: String) -> ArraySlice<UInt8>? {
        places.first { $0.key.isExactly(key) }.map { bytes[$0.value] }
    }

    /// The object with another value of a member, which comes last if it is new.
    package func replacing(_ key: String, with value: JSONValue) -> RawBody {
        var new = self
        new.replace(key, with: value.utf8(sorted: false))
        return new
    }

    /// The object without a member.
    package func removing(_ key: String) -> RawBody {
        guard let index = places.firstIndex(where: { $0.key.isExactly(key) }) else { return self }
        var new = self
        let member = places[index].member
        let gone: Range<Int>
        if index + 1 < places.count {
            gone = member.lowerBound..<places[index + 1].member.lowerBound
        } else if index > 0 {
            gone = places[index - 1].member.upperBound..<member.upperBound
        } else {
            gone = member
        }
        new.places.remove(at: index)
        new.splice(gone, with: [])
        return new
    }

    private mutating func replace(_ key: String, with value: [UInt8]) {
        if let index = places.firstIndex(where: { $0.key.isExactly(key) }) {
            let old = places[index].value
            places[index].value = old.lowerBound..<old.lowerBound + value.count
            places[index].member = places[index].member.lowerBound..<old.lowerBound + value.count
            return splice(old, with: value)
        }
        var name: [UInt8] = []
        JSONValue.string(key).write(to: &name, sorted: false)
        name.append(UInt8(ascii: ":"))
        let end = places.last?.member.upperBound
        // Behind the brace of an empty object.
        let start = end ?? 1 + (bytes.firstIndex(of: UInt8(ascii: "{")) ?? 0)
        let comma: [UInt8] = end == nil ? [] : [UInt8(ascii: ",")]
        let first = start + comma.count
        let place = Place(
            key: key, member: first..<first + name.count + value.count, value: first + name.count..<first + name.count + value.count)
        splice(start..<start, with: comma + name + value)
        places.append(place)
    }

    /// Replaces bytes, and moves the members behind them.
    private mutating func splice(_ range: Range<Int>, with new: [UInt8]) {
        bytes.replaceSubrange(range, with: new)
        let by = new.count - range.count
        guard by != 0 else { return }
        for index in places.indices where places[index].member.lowerBound >= range.upperBound {
            let place = places[index]
            places[index].member = place.member.lowerBound + by..<place.member.upperBound + by
            places[index].value = place.value.lowerBound + by..<place.value.upperBound + by
        }
    }
}

/// Finds the members.
extension RawBody {
    private static func places(in bytes: [UInt8]) throws(RequestError) -> [Place] {
        var scan = Scan(bytes: bytes)
        scan.skipBlanks()
        guard scan.take("{") else { throw RequestError("the body must be a JSON object") }
        var places: [Place] = []
        var seen = Set<ExactText>()
        scan.skipBlanks()
        while !scan.take("}") {
            let start = scan.position
            guard scan.skipString(), let key = try? JSONValue.parse(Array(bytes[start..<scan.position])).string else { throw broken }
            guard seen.insert(ExactText(key)).inserted else {
                throw RequestError("the body has the member \(InvalidText.quoted(key)) twice: leave one out", param: key)
            }
            scan.skipBlanks()
            guard scan.take(":") else { throw broken }
            scan.skipBlanks()
            let value = scan.position
            guard scan.skipValue() else { throw broken }
            places.append(Place(key: key, member: start..<scan.position, value: value..<scan.position))
            scan.skipBlanks()
            guard scan.take(",") else {
                guard scan.take("}") else { throw broken }
                break
            }
            scan.skipBlanks()
        }
        return places
    }

    private static var broken: RequestError { RequestError("the body is not valid JSON") }

    private struct Scan {
        let bytes: [UInt8]
        var position = 0

        mutating func take(_ byte: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
            position += 1
            return true
        }

        mutating func skipBlanks() {
            while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
        }

        mutating func skipString() -> Bool {
            guard take("\"") else { return false }
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\\"): position += 2
                case UInt8(ascii: "\""):
                    position += 1
                    return true
                default: position += 1
                }
            }
            return false
        }

        /// Skips a string, or anything else up to the comma or bracket that ends it.
        mutating func skipValue() -> Bool {
            let start = position
            var depth = 0
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""):
                    guard skipString() else { return false }
                    if depth == 0 { return true }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    guard depth > 0 else { return position > start }
                    depth -= 1
                    position += 1
                    if depth == 0 { return true }
                case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                    if depth == 0 { return position > start }
                    position += 1
                default: position += 1
                }
            }
            return false
        }
    }
}
