import AgentQueueModel
import Testing

@testable import AgentQueueWorker

@Suite struct CallPackingTests {
    /// Places jobs of so many texts each, and says where each went: in the call that was open (=), in a new one (+), nowhere (-).
    private func places(_ inputs: [Int], capacity: Int, calls: Int, open: Int? = nil) -> String {
        var packing = CallPacking(CallCapacity(inputs: capacity), calls: calls, inputs: open)
        return inputs.map { Self.sign(packing.place(inputs: $0, bytes: 1)) }.joined()
    }

    private static func sign(_ place: CallPacking.Place) -> String {
        switch place {
        case .same: "="
        case .next: "+"
        case .none: "-"
        }
    }

    @Test(
        arguments: [
            ([1, 1, 1], 3, 9, nil, "+=="), ([1, 1, 1, 1], 3, 9, nil, "+==+"), ([2, 2, 2], 3, 9, nil, "+++"), ([2, 2, 1], 3, 9, nil, "++="),
            ([1, 1], 3, 0, nil, "--"), ([1, 1, 1, 1], 3, 1, nil, "+==-"), ([9, 1], 3, 9, nil, "++"), ([1, 9, 1], 3, 9, nil, "+++"),
            // A call that is open already takes what fits, and no call of its own is needed.
            ([1, 1, 1], 3, 0, 1, "==-"), ([1, 1, 1], 3, 1, 2, "=+="), ([1], 3, 0, 3, "-"), ([1, 2], 3, 9, 0, "=="),
            // A job without a text takes the place of one.
            ([0, 0, 0], 2, 9, nil, "+=+"),
            // No sum overflows.
            ([1, .max, 1], 3, 9, nil, "+++"),
        ] as [([Int], Int, Int, Int?, String)])
    func byInputs(_ inputs: [Int], _ capacity: Int, _ calls: Int, _ open: Int?, _ expected: String) {
        #expect(places(inputs, capacity: capacity, calls: calls, open: open) == expected)
    }

    @Test func byBytes() {
        var packing = CallPacking(CallCapacity(inputs: 100, bytes: 10), calls: 2, inputs: 1, bytes: 4)
        let sizes = [6, 1, 9, 1, 20]
        #expect(sizes.map { Self.sign(packing.place(inputs: 1, bytes: $0)) }.joined() == "=+=" + "+-")
    }

    @Test func whoMayNotOpenACallGoesAlongOrWaits() {
        var packing = CallPacking(CallCapacity(inputs: 2), calls: 2)
        #expect(packing.place(inputs: 1, bytes: 0, mayOpen: false) == .none)
        #expect(packing.place(inputs: 1, bytes: 0) == .next)
        #expect(!packing.isFull)
        #expect(packing.place(inputs: 1, bytes: 0, mayOpen: false) == .same)
        #expect(packing.isFull)
        #expect(packing.place(inputs: 1, bytes: 0, mayOpen: false) == .none)
    }

    @Test func aCapacityIsOfOneAtLeast() {
        #expect(CallCapacity(inputs: 0, bytes: -1) == CallCapacity(inputs: 1, bytes: 1))
    }
}

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
