import AgentQueueModel
import AgentQueueShipped

/// The list prices of vendors of models. `config/prices.yaml` describes the form and is the list that the programs bring along.
package struct PriceList: Equatable, Sendable {
    /// A vendor and what its models cost.
    package struct Vendor: Equatable, Sendable {
        /// The hosts of its API.
        package var hosts: Set<String>
        /// Prices by the model's name.
        package var models: [String: ModelPrice]
    }

    /// The day of the list: `2026-11-30`.
    package var date: String
    /// By name.
    package let vendors: [String: Vendor]
    private let hosts: [String: Vendor]

    package init(date: String, vendors: [String: Vendor]) {
        self.date = date
        self.vendors = vendors
        hosts = Self.hosts(of: vendors)
    }

    private static func hosts(of vendors: [String: Vendor]) -> [String: Vendor] {
        Dictionary(vendors.values.flatMap { vendor in vendor.hosts.map { ($0, vendor) } }, uniquingKeysWith: { $1 })
    }

    /// The list that the programs bring along.
    package static let shipped: PriceList = {
        // A test reads it, so that an error cannot leave the repository.
        (try? PriceList(ShippedPrices.text)) ?? PriceList(date: "", vendors: [:])
    }()

    /// The vendor whose API is at a host.
    package func vendor(at host: String) -> Vendor? { hosts[host] }
}

extension PriceList.Vendor {
    /// The price of a model; nil if it is not listed. A name with a date after it is a snapshot, which has the price of its family unless
    /// it is listed itself.
    package func price(of model: String) -> ModelPrice? {
        // Google lists its models as `models/gemini-…`, and accepts both.
        let name = model.hasPrefix("models/") ? String(model.dropFirst(7)) : model
        if let price = models[name] { return price }
        guard let match = name.firstMatch(of: /-(?:\d{4}-\d{2}-\d{2}|20\d{6})$/) else { return nil }
        return models[String(name[..<match.range.lowerBound])]
    }
}

extension PriceList {
    /// Reads a list.
    /// - Throws: `YAMLFault`.
    package init(_ text: String) throws(YAMLFault) {
        guard let node = try YAMLValue.node(of: text) else { throw YAMLFault("the list is empty", line: nil) }
        let root = try YAMLValue.json(node)
        try Self.check(root, "the list", keys: ["as_of", "vendors"])
        guard let date = root["as_of"]?.string, Self.isDay(date) else {
            throw YAMLFault("as_of must be a day, such as 2026-11-30", line: nil)
        }
        var vendors: [String: Vendor] = [:]
        for vendor in root["vendors"]?.members ?? [] {
            vendors[vendor.key] = try Self.vendor(vendor.value, named: vendor.key)
        }
        self.init(date: date, vendors: vendors)
    }

    private static func vendor(_ value: JSONValue, named name: String) throws(YAMLFault) -> Vendor {
        try check(value, name, keys: ["hosts", "source", "checked", "batch", "models"])
        guard value["source"]?.string != nil, value["checked"]?.string.map(isDay) == true else {
            throw YAMLFault("\(name) needs a source and the day on which it was checked", line: nil)
        }
        let hosts = (value["hosts"]?.array ?? []).compactMap(\.string)
        let batch = try number(value, "batch", of: name).map(ModelPrice.Batch.share) ?? .unknown
        var models: [String: ModelPrice] = [:]
        for model in value["models"]?.members ?? [] {
            let place = "\(name): \(model.key)"
            try check(model.value, place, keys: ["input", "cached", "cache_write", "output", "long"])
            var long: ModelPrice.LongPrompt?
            if let prices = model.value["long"] {
                try check(prices, place, keys: ["above", "input", "cached", "cache_write", "output"])
                guard let above = prices["above"]?.int else { throw YAMLFault("\(place): long needs above", line: nil) }
                long = ModelPrice.LongPrompt(above: above, rates: try rates(prices, of: place))
            }
            models[model.key] = ModelPrice(try rates(model.value, of: place), long: long, batch: batch)
        }
        return Vendor(hosts: Set(hosts), models: models)
    }

    private static func rates(_ value: JSONValue, of name: String) throws(YAMLFault) -> ModelPrice.Rates {
        guard let input = try number(value, "input", of: name), let output = try number(value, "output", of: name) else {
            throw YAMLFault("\(name) needs input and output", line: nil)
        }
        return ModelPrice.Rates(
            input: input, output: output, cacheRead: try number(value, "cached", of: name),
            cacheWrite: try number(value, "cache_write", of: name))
    }

    private static func number(_ value: JSONValue, _ key: String, of name: String) throws(YAMLFault) -> Double? {
        guard let found = value[key] else { return nil }
        guard let number = found.number, number >= 0 else { throw YAMLFault("\(name): \(key) must be a number from 0", line: nil) }
        return number
    }

    private static func isDay(_ text: String) -> Bool { text.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil }

    private static func check(_ value: JSONValue, _ name: String, keys: Set<String>) throws(YAMLFault) {
        guard let members = value.members else { throw YAMLFault("\(name) must be a mapping", line: nil) }
        if let unknown = members.first(where: { !keys.contains($0.key) }) {
            throw YAMLFault("\(name): unknown key \(InvalidText.quoted(unknown.key))", line: nil)
        }
    }
}

/// The host of a URL.
enum URLHost {
    /// In lower case, without port and brackets; nil if there is none.
    static func of(_ url: String) -> String? {
        guard let start = url.firstRange(of: "://")?.upperBound else { return nil }
        var rest = url[start...].prefix { !"/?#".contains($0) }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        let host = rest.hasPrefix("[") ? rest.dropFirst().prefix { $0 != "]" } : rest.prefix { $0 != ":" }
        return host.isEmpty ? nil : host.lowercased()
    }

    /// Whether a host is this machine by its address or by the name `localhost`.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
