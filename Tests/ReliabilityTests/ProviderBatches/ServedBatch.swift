import AgentQueueModel
import Foundation

/// A batch, as a ``BatchServer`` keeps it.
struct ServedBatch: Sendable {
    /// Whose batch it is.
    enum API: String, Sendable, CaseIterable {
        case openAI
        case anthropic
    }

    /// What becomes of it, as a test decides before it is made.
    struct Plan: Sendable {
        /// How it ends, where nobody cancels it.
        enum End: Sendable {
            /// Every request is answered, or fails by itself.
            case completed
            /// Its day is over before some requests had their turn.
            case expired
            /// It is not accepted: nothing in it runs.
            case refused(String)
        }

        /// After how often being asked how it stands it ends; nil is on command.
        var polls: Int? = 2
        /// How many of its requests had their turn when it expires or is cancelled; the first ones.
        var done = 0
        var end = End.completed
    }

    /// What one request came to.
    enum Fate: Sendable, Equatable {
        case answered
        case failed(ItemFailure)
        case expired
        case cancelled
    }

    /// Why one request of a batch gets no answer.
    struct ItemFailure: Sendable, Equatable {
        var status: Int
        var type: String
        var message: String
    }

    /// One request.
    struct Item: Sendable {
        var customID: String
        var body: JSONValue
        var fate: Fate?

        /// The last message's text.
        var prompt: String { ServedBatch.prompt(of: body) }
    }

    var api: API
    var id: String
    var items: [Item]
    var plan: Plan
    /// Seconds since 1970.
    var createdAt: Int64
    var polls = 0
    var isCancelling = false
    var hasEnded = false
    /// OpenAI's: what was sent with it.
    var endpoint = ""
    var metadata = JSONValue.null
    var inputFile = ""
    var outputFile: String?
    var errorFile: String?

    var isRefused: Bool { if case .refused = plan.end { true } else { false } }

    func count(_ isCounted: (Fate) -> Bool) -> Int { items.count { $0.fate.map(isCounted) == true } }

    /// The last message's text, in either API's form.
    static func prompt(of body: JSONValue) -> String {
        let content = body["messages"]?.array?.last?["content"]
        return content?.string ?? content?.array?.last?["text"]?.string ?? ""
    }

    /// 3 tokens in, 2 out, as ``BatchServer`` says of everything.
    static func answer(to prompt: String) -> String { "echo \(prompt)" }
}
