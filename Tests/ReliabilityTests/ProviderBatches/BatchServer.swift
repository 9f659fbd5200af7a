import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Synchronization

/// OpenAI's Files and Batches (https://platform.openai.com/docs/api-reference/batch) and Anthropic's Message Batches
/// (https://docs.claude.com/en/api/creating-message-batches) as their pages describe them, and their live calls beside them: under one
/// address, for a test that decides how batches end, what breaks, and at which request everything stands still.
///
/// It charges for an answer when it makes it, whether anybody fetches it or not, and notes what a real server would have refused.
final class BatchServer: Sendable {
    /// The kinds of requests it knows.
    enum Step: String, Sendable, CaseIterable {
        case upload
        case file
        case deleteFile
        case create
        case list
        case poll
        case cancel
        case results
        case deleteBatch
        case live
    }

    /// What breaks instead of an answer.
    enum Fault: Sendable {
        /// An error of this status, and nothing is done.
        case status(Int)
        /// The connection is dropped, and nothing is done.
        case lost
        /// It is done; then the connection is dropped.
        case lostAnswer
    }

    struct State {
        var batches: [ServedBatch] = []
        var files: [String: (name: String, bytes: [UInt8])] = [:]
        var made = 0
        /// How often an answer to each prompt was charged for, in batches and live.
        var charges: [String: Int] = [:]
        var liveCharges: [String: Int] = [:]
        /// What was handled, in order.
        var steps: [Step] = []
        var violations: [String] = []

        // What a test decides.
        var plan = ServedBatch.Plan()
        var plans: [ServedBatch.Plan] = []
        var faults: [Step: [Fault]] = [:]
        var itemFailures: [String: [ServedBatch.ItemFailure]] = [:]
        var maxPage = 100
        var arrivals = 0
        var holds: [Hold] = []
    }

    let state: Mutex<State>

    /// - Parameter plan: what becomes of every batch that has no plan of its own.
    init(plan: ServedBatch.Plan = ServedBatch.Plan()) {
        state = Mutex(State(plan: plan))
    }

    /// How often an answer to each prompt was charged for, in batches and live together.
    var charges: [String: Int] { state.withLock { $0.charges.merging($0.liveCharges, uniquingKeysWith: +) } }
    /// The same, of live calls alone.
    var liveCharges: [String: Int] { state.withLock(\.liveCharges) }
    /// Every batch it has, in the order of their making.
    var batches: [ServedBatch] { state.withLock(\.batches) }
    /// What it has handled, in order.
    var steps: [Step] { state.withLock(\.steps) }
    /// What a real server would have refused.
    var violations: [String] { state.withLock(\.violations) }
    /// How many files it has.
    var files: Int { state.withLock { $0.files.count } }

    var script: Script { Script { [self] in answer($0) } }

    private func answer(_ request: RecordedRequest) -> ScriptedAnswer {
        let call = BatchServerCall(request)
        return state.withLock { state in
            if call.step != .live { state.arrivals += 1 }
            let hold = state.holds.first { $0.takes(call.step, arrival: state.arrivals) }
            if let hold, hold.moment == .before {
                hold.reach(call)
                return .hang
            }
            if state.faults[call.step]?.isEmpty == false {
                switch state.faults[call.step]?.removeFirst() {
                case .status(let status): return Self.failure(call, status)
                case .lost: return ScriptedAnswer(body: [], ending: .droppedUnanswered)
                case .lostAnswer, nil:
                    _ = state.handle(call)
                    return ScriptedAnswer(body: [], ending: .droppedUnanswered)
                }
            }
            var answer = state.handle(call)
            if let hold {
                answer.gate = hold.release
                hold.reach(call)
            }
            return answer
        }
    }

    private static func failure(_ call: BatchServerCall, _ status: Int) -> ScriptedAnswer {
        let type = status == 429 ? "rate_limit_error" : "api_error"
        return call.isAnthropic ? call.refusal(status, type, "not now") : .failing(status, type)
    }
}

extension BatchServer.State {
    /// Does what is asked.
    mutating func handle(_ call: BatchServerCall) -> ScriptedAnswer {
        steps.append(call.step)
        if call.key == nil { violations.append("\(call.step) without a key") }
        return call.isAnthropic ? anthropic(call) : openAI(call)
    }

    mutating func nextID(_ prefix: String) -> String {
        made += 1
        return "\(prefix)\(made)"
    }

    /// Takes a new batch in.
    mutating func add(_ batch: ServedBatch) -> ServedBatch {
        var batch = batch
        batch.plan = plans.isEmpty ? plan : plans.removeFirst()
        let ids = batch.items.map(\.customID)
        if Set(ids).count != ids.count { violations.append("a custom_id twice in one batch") }
        for id in ids where !(1...64).contains(id.utf8.count) || !id.utf8.allSatisfy(Self.isWordByte) {
            violations.append("custom_id '\(id)'")
        }
        if batch.items.contains(where: { $0.body["stream"] == true }) { violations.append("stream in a batch") }
        if Set(batch.items.map { $0.body["model"] }).count > 1, batch.api == .openAI { violations.append("two models in one batch") }
        batches.append(batch)
        return batch
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Somebody asks how a batch stands: its time passes.
    mutating func poll(_ place: Int) {
        batches[place].polls += 1
        guard !batches[place].hasEnded else { return }
        if batches[place].isCancelling {
            end(place)
        } else if let polls = batches[place].plan.polls, batches[place].polls >= polls {
            end(place)
        }
    }

    /// Ends a batch as planned, or as cancelled: requests that have their turn are answered, and charged for, or fail by themselves.
    mutating func end(_ place: Int) {
        var batch = batches[place]
        guard !batch.hasEnded else { return }
        batch.hasEnded = true
        var turns = batch.items.count
        var rest = ServedBatch.Fate.cancelled
        if batch.isCancelling {
            turns = batch.plan.done
        } else {
            switch batch.plan.end {
            case .completed: break
            case .expired: (turns, rest) = (batch.plan.done, .expired)
            case .refused: turns = 0
            }
        }
        for index in batch.items.indices {
            batch.items[index].fate = index < turns ? turn(batch.items[index]) : rest
        }
        batches[place] = batch
        if batch.api == .openAI { writeFiles(place) }
    }

    private mutating func turn(_ item: ServedBatch.Item) -> ServedBatch.Fate {
        if itemFailures[item.prompt]?.isEmpty == false, let failure = itemFailures[item.prompt]?.removeFirst() { return .failed(failure) }
        charges[item.prompt, default: 0] += 1
        return .answered
    }

    /// One page of batches, the newest first, and whether there are more.
    func page(_ api: ServedBatch.API, after: String?, limit: Int) -> (batches: [ServedBatch], hasMore: Bool) {
        var all = Array(batches.filter { $0.api == api }.reversed())
        if let after { all = Array(all.drop { $0.id != after }.dropFirst()) }
        let page = all.prefix(max(1, min(limit, maxPage)))
        return (Array(page), all.count > page.count)
    }
}
