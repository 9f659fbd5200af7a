import AgentQueueModel
import AgentQueueSettings

/// Typed readings of a member, which throw a sentence if the value has another type. A null counts as absent: callers skip it first.
extension JSONValue.Member {
    private func wrong(_ wanted: String) -> InputError {
        InputError("\(key) must be \(wanted), not \(value.kindName)", kind: .badData)
    }

    func requiredString() throws(InputError) -> String {
        guard case .string(let text) = value else { throw wrong("a string") }
        return text
    }

    func requiredInteger() throws(InputError) -> Int {
        guard let number = value.int else {
            if value.number != nil { throw InputError("\(key) must be a whole number", kind: .badData) }
            throw wrong("a whole number")
        }
        return number
    }

    func requiredNumber() throws(InputError) -> Double {
        guard let number = value.number else { throw wrong("a number") }
        return number
    }

    func requiredList() throws(InputError) -> [JSONValue] {
        guard case .array(let elements) = value else { throw wrong("a list") }
        return elements
    }

    func requiredObject() throws(InputError) -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw wrong("an object") }
        return members
    }

    func requiredStrings() throws(InputError) -> [String] {
        var texts: [String] = []
        for element in try requiredList() {
            guard case .string(let text) = element else {
                throw InputError("\(key) must be a list of strings, but holds \(element.kindName)", kind: .badData)
            }
            texts.append(text)
        }
        return texts
    }

    /// One text or a list of them.
    func requiredInputs() throws(InputError) -> [String] {
        switch value {
        case .string(let text): return [text]
        case .array: return try requiredStrings()
        default: throw wrong("a string or a list of strings")
        }
    }

    /// `"10m"`, or seconds as a number.
    func requiredDuration() throws(InputError) -> Duration {
        switch value {
        case .string(let text):
            return try JobText.duration(text, named: key)
        case .integer, .double, .digits:
            let seconds = value.number ?? .infinity
            guard seconds >= 0 else { throw InputError("\(key) cannot be negative", kind: .badData) }
            guard seconds <= Double(JobLimits.maxHorizonMilliseconds / 1_000) else {
                let longest = DurationText.format(.milliseconds(JobLimits.maxHorizonMilliseconds))
                throw InputError("\(key) is too long (at most \(longest))", kind: .badData)
            }
            return .milliseconds(Int64((seconds * 1_000).rounded()))
        default:
            throw wrong("a duration such as \"10m\", or seconds")
        }
    }
}

extension JSONValue {
    /// The members of the object in a line.
    /// - Throws: `InputError` (`badData`), without the line's number.
    static func members(ofLine bytes: UnsafeRawBufferPointer) throws(InputError) -> [Member] {
        let value: JSONValue
        do {
            value = try parse(bytes)
        } catch {
            throw InputError(error.description, kind: .badData)
        }
        guard case .object(let members) = value else {
            throw InputError("a line must hold an object, not \(value.kindName)", kind: .badData)
        }
        return members
    }
}
