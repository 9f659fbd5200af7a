import JobModel

extension JSONValue {
    /// The members of the object that a line holds.
    /// - Throws: `InputError` (`badData`), without the line's number.
    static func members(ofLine bytes: UnsafeRawBufferPointer) throws(InputError) -> [Member] {
        let value: JSONValue
        do {
            value = try parse(bytes)
        } catch {
            throw InputError(error.description, exit: .badData)
        }
        guard case .object(let members) = value else {
            throw InputError("a line must hold an object, not \(value.kindName)", exit: .badData)
        }
        return members
    }
}
