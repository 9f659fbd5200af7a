/// The rate limits a provider reports in the headers of a response, successful or not.
package struct ObservedLimits: Sendable, Equatable {
    package var requests: Window?
    /// Input and output tokens together.
    package var tokens: Window?
    /// Input tokens.
    package var inputTokens: Window?
    /// Output tokens.
    package var outputTokens: Window?

    /// One limit, as of the response.
    package struct Window: Sendable, Equatable {
        /// The capacity of a full window; nil if the response does not say.
        package var limit: Int?
        /// What is left of the window; nil if the response does not say.
        package var remaining: Int?
        /// When the window is full again, in ms from the response; nil if the response does not say.
        package var resetAfter: Int64?

        package init(limit: Int? = nil, remaining: Int? = nil, resetAfter: Int64? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.resetAfter = resetAfter
        }
    }

    /// By default, nothing is reported.
    package init(requests: Window? = nil, tokens: Window? = nil, inputTokens: Window? = nil, outputTokens: Window? = nil) {
        self.requests = requests
        self.tokens = tokens
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
