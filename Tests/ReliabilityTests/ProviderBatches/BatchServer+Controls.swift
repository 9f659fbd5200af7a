import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Synchronization

extension BatchServer {
    /// Decides what becomes of the next batches, in the order of their making.
    func plan(_ plans: ServedBatch.Plan...) { state.withLock { $0.plans += plans } }

    /// Decides what becomes of the next turns of a prompt in a batch.
    func fail(_ prompt: String, _ failures: ServedBatch.ItemFailure...) {
        state.withLock { $0.itemFailures[prompt, default: []] += failures }
    }

    /// Decides what breaks at the next requests of a kind.
    func fail(_ step: Step, _ faults: Fault...) { state.withLock { $0.faults[step, default: []] += faults } }

    /// Lets no page of a list hold more.
    func limitPages(to count: Int) { state.withLock { $0.maxPage = count } }

    /// Stops at the next request of a kind.
    func hold(_ step: Step, _ moment: Hold.Moment) -> Hold { add(Hold(self, moment) { arrived, _ in arrived == step }) }

    /// Stops at a request by its number, from 1, among all but live ones.
    func hold(arrival number: Int, _ moment: Hold.Moment) -> Hold { add(Hold(self, moment) { $1 == number }) }

    private func add(_ hold: Hold) -> Hold {
        state.withLock { $0.holds.append(hold) }
        return hold
    }

    /// Somebody else cancels a batch, at the provider.
    func cancel(_ place: Int) { state.withLock { $0.batches[place].isCancelling = true } }

    /// Ends every batch that has not ended, whether anybody asks for it or not: what was sent twice is charged for twice.
    func endAll() {
        state.withLock { state in
            for place in state.batches.indices { state.end(place) }
        }
    }

    /// Somebody else's batch of the same account, whose requests nobody here has asked.
    func addForeign(_ api: ServedBatch.API, items: Int) {
        state.withLock { state in
            let place = state.batches.count
            let id = state.nextID(api == .openAI ? "batch_" : "msgbatch_")
            let requests = (0..<items).map { number in
                ServedBatch.Item(
                    customID: "theirs-\(number)",
                    body: ["model": "m", "max_tokens": 5, "messages": [["role": "user", "content": .string("theirs \(number)")]]])
            }
            var batch = ServedBatch(
                api: api, id: id, items: requests, plan: ServedBatch.Plan(), createdAt: Int64(Date().timeIntervalSince1970))
            batch.endpoint = "/v1/chat/completions"
            batch.polls = 1
            state.batches.append(batch)
            state.end(place)
        }
    }
}
