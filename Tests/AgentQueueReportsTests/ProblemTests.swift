import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

/// What kind of trouble the library's errors are.
@Suite struct ProblemTests {
    @Test("Errors of the library have a kind, others have none")
    func kinds() {
        #expect(Problem(StoreError(.notFound, "x")) == .badInput)
        #expect(Problem(StoreError(.conflict, "x")) == .badInput)
        #expect(Problem(StoreError(.busy, "x")) == .unavailable)
        #expect(Problem(StoreError(.newerSchema, "x")) == .unavailable)
        #expect(Problem(StoreError(.full, "x")) == .inputOutput)
        #expect(Problem(ModelFailure(.refused, "x")) == .badInput)
        #expect(Problem(ModelFailure(.overloaded, "x")) == .unavailable)
        #expect(Problem(CancellationError()) == nil)
    }
}
