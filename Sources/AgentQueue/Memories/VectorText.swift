import JobModel

/// Vectors as people and scripts write them: a JSON list of numbers.
public enum VectorText {
    /// Reads a list. What is no vector (of no values, or of too many) passes: who checks the memory or the query says so.
    /// - Throws: `InputError` (`badData`).
    public static func parse(_ text: String) throws(InputError) -> [Float] {
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw InputError("the vector is \(error.description)", exit: .badData)
        }
        guard case .array(let elements) = value else {
            throw InputError("the vector must be a list of numbers, not \(value.kindName)", exit: .badData)
        }
        return try numbers(elements)
    }

    /// The numbers of a list.
    static func numbers(_ elements: [JSONValue]) throws(InputError) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let number = element.number else {
                throw InputError("value \(index + 1) of the vector must be a number, not \(element.kindName)", exit: .badData)
            }
            values.append(Float(number))
        }
        return values
    }

    /// The shortest number that is read as the same value again.
    public static func json(_ vector: [Float]) -> JSONValue {
        .array(
            vector.map { value in
                let text = "\(value)"
                // Text becomes a 64-bit float first, which for very few numbers rounds to a neighbour.
                guard let double = Double(text), Float(double) == value else { return .double(Double(value)) }
                return .digits(text)
            })
    }
}
