import AgentQueueModel
import Foundation
import Synchronization

@testable import AgentQueue

/// 2026-11-22T00:00:00Z.
let now: Int64 = 1_795_305_600_000

func context(providers: [String] = ["local", "openai", "anthropic", "local-embeddings"]) -> IntakeContext {
    IntakeContext(
        now: now, defaultTarget: Target(provider: "local", model: "smollm2"),
        defaultEmbeddingTarget: Target(provider: "local-embeddings", model: "e5"), providerNames: providers,
        identity: { providers.contains($0) ? "identity of \($0)" : nil })
}

/// The job of a line, or the sentence that refuses it. The quick check must say the same.
func outcome(_ line: String, _ defaults: JobDraft = JobDraft(), _ context: IntakeContext = context()) -> Result<NewJob, InputError> {
    do throws(InputError) {
        return outcome(of: try JobLine(defaults: defaults, context: context).draft(line), context)
    } catch {
        return .failure(error)
    }
}

func outcome(of draft: JobDraft, _ context: IntakeContext = context()) -> Result<NewJob, InputError> {
    let whole = Result { () throws(InputError) in try draft.validated(in: context) }
    let quick = Result { () throws(InputError) in try draft.check(in: context) }
    switch (whole, quick) {
    case (.success, .success): break
    case (.failure(let first), .failure(let second)) where first == second: break
    default: return .failure(InputError("check and validated disagree: \(quick)", kind: .inputOutput))
    }
    return whole
}

/// The sentence of a refusal; nil for a job.
func refusal(_ line: String, _ defaults: JobDraft = JobDraft()) -> String? {
    if case .failure(let error) = outcome(line, defaults) { error.message } else { nil }
}

func body(_ line: String, _ defaults: JobDraft = JobDraft(), _ context: IntakeContext = context()) throws -> String {
    try outcome(line, defaults, context).get().body
}

/// What a bulk run committed.
final class Committed: Sendable {
    private let slices = Mutex<[(jobs: [NewJob], lastLine: Int)]>([])

    func add(_ jobs: [NewJob], _ lastLine: Int) { slices.withLock { $0.append((jobs, lastLine)) } }
    var sizes: [Int] { slices.withLock { $0.map(\.jobs.count) } }
    var lastLines: [Int] { slices.withLock { $0.map(\.lastLine) } }
    var jobs: [NewJob] { slices.withLock { $0.flatMap(\.jobs) } }
}

/// Resident memory of this process, in bytes.
func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize())
}
