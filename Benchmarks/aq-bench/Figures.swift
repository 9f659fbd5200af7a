import CPlatform
import Glibc
import JobModel

/// How figures are taken and printed.
enum Figures {
    /// Seconds that `body` takes.
    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let began = platform_monotonic_ns()
        try await body()
        return Double(platform_monotonic_ns() - began) / 1e9
    }

    /// Seconds that `body` takes, and seconds of processors that the process spends on it: what counts where others want them too.
    static func cost(_ body: () async throws -> Void) async rethrows -> (seconds: Double, cpu: Double) {
        let before = processorSeconds
        let seconds = try await seconds(body)
        return (seconds, processorSeconds - before)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Prints one JSON object.
    static func report(_ members: KeyValuePairs<String, JSONValue>) {
        print(JSONValue.object(members.map { JSONValue.Member($0.key, $0.value) }).text)
    }

    /// Writes one line at once: whoever reads it waits for it.
    static func line(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }

    /// The nearest-rank percentile of sorted values.
    static func percentile(_ sorted: [Int64], _ percent: Int) -> Int64 {
        sorted.isEmpty ? 0 : sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }
}
