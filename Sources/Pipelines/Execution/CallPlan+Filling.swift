import JobModel

extension CallPlan {
    /// Whether answers may turn out not to serve: those that must be JSON, and those that are chosen by how sure something is.
    var mayBeUseless: Bool { isParsed || ensemble?.judge != nil || ensemble?.confidence != nil }

    /// What a call has from its step besides its question.
    func fill(_ step: inout StepCall, _ inputs: JSONValue) {
        switch call.schema {
        case nil: break
        case .inline(let schema): step.schema = schema
        case .input(let name): step.schema = inputs[name]
        }
        step.sample = call.sample
        step.recall = call.recall
        step.namespaces = call.namespaces
        step.remembers = call.remembers
        step.timeout = call.timeout
        step.budget = call.budget
        step.usesCache = call.usesCache
        step.cacheTTL = call.cacheTTL
        step.maxAttempts = call.maxAttempts
    }
}
