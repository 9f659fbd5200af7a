extension OpenAIError {
    /// What may be shown of it where the request that it may quote is not at hand: codes, and none of the server's words.
    var withoutWords: OpenAIError {
        OpenAIError(type: BatchRules.code(type), code: BatchRules.code(code), number: number)
    }
}
