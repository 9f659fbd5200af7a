import AgentQueueModel
import AgentQueueSettings
import FoundationEssentials

/// Reads values of a job as people write them on the command line and in JSONL.
package enum JobText {
    /// Reads a duration such as `10m` or `1h30m`; a plain number is seconds.
    /// - Parameter name: the option or key, for the message.
    /// - Returns: whole milliseconds.
    /// - Throws: `InputError` (`usage`).
    package static func duration(_ text: String, named name: String) throws(InputError) -> Duration {
        do {
            return .milliseconds(try DurationText.parse(text).milliseconds)
        } catch {
            throw InputError("\(name) \(error.message)", kind: .usage)
        }
    }

    /// Reads an RFC 3339 time.
    /// - Parameter name: the option or key, for the message.
    /// - Throws: `InputError` (`usage`).
    package static func time(_ text: String, named name: String) throws(InputError) -> Date {
        do {
            return Date(milliseconds: try TimeText.parseRFC3339(text))
        } catch {
            throw InputError("\(name) \(error.message)", kind: .usage)
        }
    }

    /// Makes an object of `key=value` texts, in their order. The values are strings and may contain `=`. Nil for an empty list.
    /// - Throws: `InputError` (`usage`) if `=` or the key is missing, or a key occurs twice.
    package static func metadata(_ pairs: [String]) throws(InputError) -> JSONValue? {
        var members: [JSONValue.Member] = []
        var seen = Set<ExactText>()
        for pair in pairs {
            guard let sign = pair.utf8.firstIndex(of: UInt8(ascii: "=")), sign > pair.startIndex else {
                throw InputError("metadata \(InvalidText.quoted(pair)) is not of the form key=value", kind: .usage)
            }
            let key = String(pair[..<sign])
            guard seen.insert(ExactText(key)).inserted else {
                throw InputError("metadata \(InvalidText.quoted(key)) is given twice", kind: .usage)
            }
            members.append(.init(key, .string(String(pair[pair.utf8.index(after: sign)...]))))
        }
        // A bare nil would be the JSON value null.
        return members.isEmpty ? Optional.none : .some(.object(members))
    }
}
