extension Array {
    /// Appends, growing by an eighth where `append` would double: what a cache takes is to be close to what it says.
    mutating func appendTightly(_ element: Element) {
        if count == capacity { reserveCapacity(count + count / 8 + 8) }
        append(element)
    }
}
