/// As much of NIO's type as the readers of headers use: the fuzzer is built without the package.
public struct HTTPHeaders {
    private var fields: [(name: String, value: String)] = []

    public init() {}

    public mutating func add(name: String, value: String) { fields.append((name.lowercased(), value)) }

    public func first(name: String) -> String? { fields.first { $0.name == name.lowercased() }?.value }
}
