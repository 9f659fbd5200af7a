import AgentQueueDialects
import Testing

@Suite struct RequestErrorTests {
    @Test func aRequestErrorIsABadRequestUnlessItSaysOtherwise() {
        #expect(RequestError("no").status == 400)
    }
}
