import Pipelines
import Testing

@Suite struct PipelineErrorTests {
    @Test func itSaysWhereItIs() {
        let error = PipelineError(path: "coding.yaml", line: 12, key: "steps.plan.prompt", message: "unknown step 'pln'")
        #expect(error.description == "coding.yaml:12: steps.plan.prompt: unknown step 'pln'")
    }
}
