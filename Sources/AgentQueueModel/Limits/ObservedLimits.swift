/// What a provider's answer says about its rate limits: the headers that came with it, good or bad.
package struct ObservedLimits: Sendable, Equatable {
    /// Requests.
    package var requests: Window?
    /// Tokens in and out together.
    package var tokens: Window?
    /// Tokens in.
    package var inputTokens: Window?
    /// Tokens out.
    package var outputTokens: Window?

    /// One limit, as of the answer.
    package struct Window: Sendable, Equatable {
        /// What a full window holds; nil where the answer does not say.
        package var limit: Int?
        /// What is left of it; nil where the answer does not say.
        package var remaining: Int?
        /// When it is full again, in ms from the answer; nil where the answer does not say.
        package var resetAfter: Int64?

        /// Makes a window.
        package init(limit: Int? = nil, remaining: Int? = nil, resetAfter: Int64? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.resetAfter = resetAfter
        }
    }

    /// Says nothing, unless told.
    package init(requests: Window? = nil, tokens: Window? = nil, inputTokens: Window? = nil, outputTokens: Window? = nil) {
        self.requests = requests
        self.tokens = tokens
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
