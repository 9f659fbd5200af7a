/// Figures in Prometheus' text format, 0.0.4.
struct MetricsText {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// One series of a family: the values of its labels, in the order of their names.
    struct Sample {
        var labels: [String]
        var value: Double

        init(_ labels: [String] = [], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// The value of every label of the series that stands for those beyond the largest.
    static let other = "other"

    private(set) var text = ""

    /// Adds a family. Samples with the same labels are added up.
    /// - Parameter most: the number of series; where there are more, the smallest become one.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], _ samples: [Sample], most: Int = 100) {
        var sums: [[String]: Double] = [:]
        for sample in samples { sums[sample.labels, default: 0] += sample.value }
        var found = sums.map { Sample($0.key, $0.value) }
        if found.count > most {
            found.sort { ($1.value, $0.labels.joined()) < ($0.value, $1.labels.joined()) }
            let rest = found[(most - 1)...].reduce(0) { $0 + $1.value }
            found = found.prefix(most - 1) + [Sample(labels.map { _ in Self.other }, rest)]
        }
        guard !found.isEmpty else { return }
        head(name, kind, help)
        for sample in found.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            line(name, Array(zip(labels, sample.labels)), sample.value)
        }
    }

    /// Adds a family of distributions by one label.
    mutating func add(_ name: String, _ help: String, label: String, _ histograms: [String: DurationHistogram]) {
        guard !histograms.isEmpty else { return }
        head(name, .histogram, help)
        for (value, histogram) in histograms.sorted(by: { $0.key < $1.key }) {
            var sum = 0
            for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
                sum += count
                line(name + "_bucket", [(label, value), ("le", Self.number(bound))], Double(sum))
            }
            line(name + "_bucket", [(label, value), ("le", "+Inf")], Double(histogram.count))
            line(name + "_sum", [(label, value)], histogram.sum)
            line(name + "_count", [(label, value)], Double(histogram.count))
        }
    }

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// How long something took, counted by upper bounds.
struct DurationHistogram: Sendable, Equatable {
    /// In seconds.
    static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600,
    ]

    /// How many took at most as long as the bound of the same index, and longer than the one before.
    private(set) var counts = [Int](repeating: 0, count: bounds.count)
    private(set) var count = 0
    /// In seconds.
    private(set) var sum = 0.0

    mutating func add(_ duration: Duration) {
        let seconds = max(0, Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
        count += 1
        sum += seconds
        if let index = Self.bounds.firstIndex(where: { seconds <= $0 }) { counts[index] += 1 }
    }
}
