import JobModel
import Settings

/// Reads lines of JSONL as jobs. Three forms are told apart by their keys: an Anthropic batch line has `params`, an OpenAI batch line
/// `body`, and everything else is ours.
public struct JobLine: Sendable {
    /// What the lines do not say.
    let defaults: JobDefaults
    /// The providers that a model's name may begin with, and the targets that lines without a model go to.
    let context: IntakeContext
    /// The defaults as the draft that each line starts from.
    let template: JobDraft

    /// Makes a reader.
    public init(defaults: JobDefaults, context: IntakeContext) {
        self.defaults = defaults
        self.context = context
        template = defaults.draft
    }

    /// Reads one line. What is returned still has to be validated.
    /// - Parameter bytes: the line without its line break.
    /// - Throws: `InputError`, without the line's number.
    public func draft(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> JobDraft {
        let members = try JSONValue.members(ofLine: bytes)
        for member in members {
            if member.key == "params" { return try anthropicDraft(members) }
            if member.key == "body" { return try openAIDraft(members) }
        }
        return try ownDraft(members)
    }

    /// Reads one line of text. As ``draft(_:)-(UnsafeRawBufferPointer)``.
    /// - Throws: `InputError`.
    public func draft(_ text: String) throws(InputError) -> JobDraft {
        var text = text
        let result: Result<JobDraft, InputError> = text.withUTF8 { utf8 in
            Result { () throws(InputError) in try draft(UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// Takes away what the defaults said and this kind of job, or a line with its own system message or its own form of the answer,
    /// has no use for.
    func settle(_ draft: inout JobDraft, lineSaysSystem: Bool, lineSaysSchema: Bool = false) {
        if !lineSaysSchema, draft.schema != nil, draft.kind != .generate || draft.saysForm { draft.schema = nil }
        if draft.kind != .generate {
            if !lineSaysSystem, draft.system == defaults.system { draft.system = nil }
            if draft.role == defaults.role { draft.role = nil }
            return
        }
        if !lineSaysSystem, draft.system != nil, draft.holdsSystemMessage { draft.system = nil }
    }
}
