import Testing

@testable import AgentQueueGateway

@Suite struct RequestIDTests {
    @Test func anIDIsHexadecimal() {
        #expect(RequestID(255).description == "req_ff")
    }
}
