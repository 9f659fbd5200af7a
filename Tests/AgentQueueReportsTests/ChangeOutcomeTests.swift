import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

/// What became of a job or run that was to be changed, in words and as JSON.
@Suite struct ChangeOutcomeTests {
    @Test("People read failed, scripts the stored state")
    func jobs() {
        let unchanged = ChangeOutcome(JobChange(id: 7, result: .unchanged(.discarded)), .cancelled)
        #expect(unchanged.isDone && unchanged.sentence == "unchanged: failed")
        #expect(unchanged.json == ["id": 7, "result": "unchanged", "state": "discarded", "reason": "unchanged: failed"])
        let running = ChangeOutcome(JobChange(id: 7, result: .changed(.running)), .cancelled)
        #expect(running.sentence == "running; cancellation requested" && running.json["reason"] == .null)
        let refused = ChangeOutcome(JobChange(id: 7, result: .refused("why")), .deleted)
        #expect(!refused.isDone && refused.sentence == "not deleted: why" && refused.json["state"] == .null)
    }

    @Test("A run that is not there, one that was changed, and one that was as it was wanted")
    func runs() {
        #expect(ChangeOutcome(run: 3, nil, nil).json["result"] == "not_found")
        #expect(ChangeOutcome(run: 3, .running, .retried).sentence == "retried")
        #expect(ChangeOutcome(run: 3, .completed, nil).sentence == "unchanged: completed")
    }
}
