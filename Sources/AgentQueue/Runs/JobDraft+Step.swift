import JobModel
import Pipelines

extension JobDraft {
    /// The job of a step's call.
    init(_ call: StepCall, _ options: RunOptions) {
        self.init()
        prompt = call.prompt
        system = call.system
        model = call.model
        temperature = call.temperature
        maxTokens = call.maxTokens
        parameters = call.parameters
        schema = call.schema
        sample = call.sample
        recall = call.recall
        namespaces = call.namespaces
        remembers = call.remembers
        timeout = call.timeout
        budget = call.budget
        cache = call.usesCache
        cacheTTL = call.cacheTTL
        maxAttempts = call.maxAttempts
        apply(options)
    }

    /// What holds for all jobs of a run. The model is for calls that name none.
    mutating func apply(_ options: RunOptions) {
        queue = options.queue
        priority = options.priority
        tags = options.tags
        model = model ?? options.model
    }
}
