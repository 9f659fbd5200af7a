import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

/// The words that people read of jobs.
@Suite struct JobWordsTests {
    @Test("People read failed where the stored state is discarded, and may write either")
    func states() {
        #expect(JobState.discarded.displayName == "failed")
        #expect(JobState.allCases.allSatisfy { JobState(displayName: $0.displayName) == $0 && JobState(displayName: $0.rawValue) == $0 })
        #expect(JobState(displayName: "done") == nil)
    }

    @Test(
        "What a job waits for",
        arguments: [
            (JobWait.identicalJob(7), "the answer of an identical job (job 7, running)"),
            (.identicalJob(nil), "the answer of an identical job"),
            (.providerBatch(3, .submitted), "provider batch 3"),
            (.providerBatch(3, .collecting), "provider batch 3, which is collecting jobs"),
            (.jobs([1, 2]), "jobs 1, 2"),
        ])
    func words(_ wait: JobWait, _ sentence: String) {
        #expect(WaitSentence.of(wait) == sentence)
    }
}
