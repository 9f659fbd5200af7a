import AgentQueueModel
import NIOHTTP1

/// Whatever a server writes into the headers that say when to come again: no crash, and every number within its bounds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    let values = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var headers = HTTPHeaders()
    for (index, name) in names.enumerated() where index < values.count { headers.add(name: name, value: values[index]) }
    let now: Int64 = 1_795_330_000_000
    for limits in [true, false] {
        if let wait = RetryAfter.wait(headers, limits: limits, now: now) { precondition((0...RetryAfter.longest).contains(wait)) }
    }
    for observed in [ObservedLimits.openAI(headers), ObservedLimits.anthropic(headers, now: now)] {
        for window in [observed?.requests, observed?.tokens, observed?.inputTokens, observed?.outputTokens] {
            precondition(window?.limit ?? 0 >= 0 && window?.remaining ?? 0 >= 0)
            precondition((0...RetryAfter.longest).contains(window?.resetAfter ?? 0))
        }
    }
    for value in values {
        if let time = Timestamp.rfc3339(value) { precondition((-100_000_000...400_000_000_000_000).contains(time)) }
        _ = RetryAfter.httpDate(value)
        if let duration = RetryAfter.duration(value) { precondition((0...RetryAfter.longest).contains(duration)) }
    }
    return 0
}

private let names =
    ["retry-after-ms", "retry-after"]
    + ["requests", "tokens"].flatMap { what in ["limit", "remaining", "reset"].map { "x-ratelimit-\($0)-\(what)" } }
    + ["requests", "tokens", "input-tokens", "output-tokens"].flatMap { what in
        ["limit", "remaining", "reset"].map { "anthropic-ratelimit-\(what)-\($0)" }
    }
