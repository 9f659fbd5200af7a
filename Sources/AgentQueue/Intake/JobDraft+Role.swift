import AgentQueueModel
import AgentQueueSettings

extension JobDraft {
    /// The job with its role's system text, target and parameters where it does not set its own.
    /// - Throws: `InputError` for a role that is not configured, or that only a pipeline can use because it has templates.
    func withoutRole(in context: IntakeContext) throws(InputError) -> JobDraft {
        guard let name = role else { return self }
        guard let role = context.roles[name]?.job else {
            throw InputError("unknown role \(InvalidText.quoted(name))\(Self.roleHint(for: name, in: context))", kind: .usage)
        }
        for (part, text) in [("system text", role.system), ("model", role.model)] {
            guard text?.contains("{{") == true else { continue }
            throw InputError(
                "the \(part) of role \(InvalidText.quoted(name)) is a template, which only steps of pipelines fill in", kind: .usage)
        }
        var draft = self
        draft.role = nil
        for option in JobOption.ofRoles where !option.isGiven(self) && !saysOtherwise(option) { option.copy(role, &draft) }
        draft.parameters += role.parameters.filter { isOpen($0) }
        return draft
    }

    /// Whether the job says what an option says by other means.
    private func saysOtherwise(_ option: JobOption) -> Bool {
        switch option.name {
        case "system": holdsSystemMessage
        case "max_tokens": parameters.contains { $0.key == "max_completion_tokens" }
        default: false
        }
    }

    /// Whether the conversation has a system message of its own.
    var holdsSystemMessage: Bool {
        (messages ?? []).contains { message in
            let role = message["role"]?.string
            return role == "system" || role == "developer"
        }
    }

    /// Whether the job does not set a role's parameter itself.
    private func isOpen(_ parameter: JSONValue.Member) -> Bool {
        if parameter.key == "response_format" || parameter.key == "output_config", schema != nil || saysForm { return false }
        return !parameters.contains { $0.key == parameter.key }
    }

    private static func roleHint(for name: String, in context: IntakeContext) -> String {
        let names = context.roles.keys.sorted()
        let hint = Suggestion.hint(for: name, in: names)
        if !hint.isEmpty { return hint }
        guard !names.isEmpty else { return " (the configuration has no roles)" }
        return " (configured: \(names.prefix(20).joined(separator: ", ")))"
    }
}
