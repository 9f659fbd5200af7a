extension Substring.UTF8View {
    /// Without the spaces and tabs at both ends.
    func trimmingSpaces() -> Substring.UTF8View {
        var view = self
        while let first = view.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { view = view.dropFirst() }
        while let last = view.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { view = view.dropLast() }
        return view
    }
}
