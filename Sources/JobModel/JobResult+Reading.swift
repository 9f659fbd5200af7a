extension JobResult {
    /// The answer's text.
    public var text: String? { reply["text"]?.string }

    /// Why the answer ended.
    public var finishReason: String? { reply["finish_reason"]?.string }
}
