import JobModel
import ModelCalls
import Testing

@testable import WorkerPool

@Suite struct CallDivisionTests {
    private func failed(_ failure: FailureClass) -> Outcome { .failure(ModelFailure(failure, "it failed")) }

    @Test func aCallFailsAsAWholeWhereAllFailAlike() {
        #expect(CallDivision.failure(of: [failed(.permanent), failed(.permanent)]) == .permanent)
        #expect(CallDivision.failure(of: [failed(.retryable)]) == .retryable)
        #expect(CallDivision.failure(of: [failed(.permanent), failed(.retryable)]) == nil)
        #expect(CallDivision.failure(of: [failed(.permanent), .reply(ModelReply())]) == nil)
        #expect(CallDivision.failure(of: [.reply(ModelReply())]) == nil)
        #expect(CallDivision.failure(of: []) == nil)
    }

    /// At the first attempt, at a later one, of a half whose other half failed, of one whose other half was answered.
    @Test(
        arguments: [
            (.permanent, [true, true, true, true]), (.refused, [true, true, true, true]), (.invalidReply, [true, true, true, true]),
            (.retryable, [false, true, false, true]), (.timedOut, [false, true, false, true]),
            (.rateLimited, [false, false, false, false]), (.overloaded, [false, false, false, false]),
            (.authentication, [false, false, false, false]), (.quotaExhausted, [false, false, false, false]),
            (.cancelled, [false, false, false, false]), (.shutdown, [false, false, false, false]),
            (.crashed, [false, false, false, false]),
        ] as [(FailureClass, [Bool])])
    func whatIsDivided(_ failure: FailureClass, _ expected: [Bool]) {
        #expect(
            [
                CallDivision.divides(failure, attempt: 1, isAgain: false, false),
                CallDivision.divides(failure, attempt: 2, isAgain: false, false),
                CallDivision.divides(failure, attempt: 2, isAgain: true, false),
                CallDivision.divides(failure, attempt: 2, isAgain: true, true),
            ] == expected)
    }
}
