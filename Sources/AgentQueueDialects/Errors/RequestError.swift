/// Why a request cannot become a job: the client is at fault, and is told so before anything is stored.
package struct RequestError: Error, Sendable, Equatable {
    /// The HTTP status: 400, 404, 413 or 422.
    package var status: Int
    /// The code that programs read, such as `unsupported_parameter`; nil if the status says it all.
    package var code: String?
    /// The member of the request that is wrong, such as `messages[0].content`; nil if it is the request as a whole.
    package var param: String?
    /// One sentence that says what is wrong and what to do.
    package var message: String

    package init(_ message: String, status: Int = 400, code: String? = nil, param: String? = nil) {
        self.status = status
        self.code = code
        self.param = param
        self.message = message
    }
}
