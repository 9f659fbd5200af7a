import AgentQueueStore
import Synchronization

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
    /// The value of every label of the series that stands for those that are not shown by themselves.
    static let other = "other"

    private(set) var text = ""
    private let shown: ShownSeries

    init(_ shown: ShownSeries = ShownSeries()) { self.shown = shown }

    /// Adds a family. Samples with the same labels are added up.
    /// - Parameter most: the number of series; where there are more, the smallest become one.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], most: Int = 1, _ samples: [Sample]) {
        var sums: [[String]: Double] = [:]
        for sample in samples { sums[sample.labels, default: 0] += sample.value }
        var found = sums.map { Sample($0.key, $0.value) }
        if found.count > most || (kind == .counter && shown.isFull(name)) {
            found.sort { ($1.value, $0.labels.joined()) < ($0.value, $1.labels.joined()) }
            let own = kind == .counter ? shown.choose(found.map(\.labels), of: name, most: most - 1) : nil
            let kept = own.map { own in found.filter { own.contains($0.labels) } } ?? Array(found.prefix(most - 1))
            let rest = found.reduce(0) { $0 + $1.value } - kept.reduce(0) { $0 + $1.value }
            found = kept + [Sample(labels.map { _ in Self.other }, max(0, rest))]
        }
        guard !found.isEmpty else { return }
        head(name, kind, help)
        for sample in found.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            line(name, Array(zip(labels, sample.labels)), sample.value)
        }
    }

    /// Adds a family of distributions by one label.
    mutating func add(_ name: String, _ help: String, label: String, _ histograms: RequestMetrics.Histograms) {
        guard !histograms.byLabel.isEmpty else { return }
        head(name, .histogram, help)
        for (value, histogram) in histograms.byLabel.sorted(by: { $0.key < $1.key }) { lines(name, [(label, value)], histogram) }
    }

    /// Adds one distribution.
    mutating func add(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        head(name, .histogram, help)
        lines(name, [], histogram)
    }

    private mutating func lines(_ name: String, _ labels: [(name: String, value: String)], _ histogram: DurationHistogram) {
        var sum = 0
        for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
            sum += count
            line(name + "_bucket", labels + [("le", Self.number(bound))], Double(sum))
        }
        line(name + "_bucket", labels + [("le", "+Inf")], Double(histogram.count))
        line(name + "_sum", labels, histogram.sum)
        line(name + "_count", labels, Double(histogram.count))
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
        guard value.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else {
            return value
        }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// Which series of a counter are shown by themselves, where there are too many. It stays the same for as long as the process runs: whoever
/// reads a counter takes one that falls for one that began anew.
final class ShownSeries: Sendable {
    private let state = Mutex<[String: Set<[String]>]>([:])

    /// Whether some of a counter's series were left out before.
    func isFull(_ name: String) -> Bool { state.withLock { $0[name] != nil } }

    /// Returns the series to show: those shown before, or the first.
    func choose(_ labels: [[String]], of name: String, most: Int) -> Set<[String]> {
        state.withLock { state in
            if let known = state[name] { return known }
            let chosen = Set(labels.prefix(most))
            state[name] = chosen
            return chosen
        }
    }
}
