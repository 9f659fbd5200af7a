extension HTTPTransport {
    /// The bounds of the HTTP client.
    public struct Configuration: Sendable, Equatable {
        /// Most open HTTP/1.1 connections to one host; 100 by default. A call beyond them waits for one to become free, as
        /// long as for a connection to open.
        public var poolSize: Int
        /// How long opening a connection may take, TLS included, in ms; 30,000 by default.
        public var connectTimeout: Int64
        /// Retries of a connection that failed before any byte of the body was sent; 3 by default.
        public var maxRetries: Int
        /// The longest answer read, in bytes; 64 MiB by default.
        public var maxAnswerBytes: Int

        /// How long a connection nobody uses is kept, in ms. Short, as a server that closes one just when a request is on
        /// its way costs an attempt.
        static let idleTimeout: Int64 = 20_000

        /// Makes bounds.
        public init(poolSize: Int = 100, connectTimeout: Int64 = 30_000, maxRetries: Int = 3, maxAnswerBytes: Int = 64 << 20) {
            self.poolSize = poolSize
            self.connectTimeout = connectTimeout
            self.maxRetries = maxRetries
            self.maxAnswerBytes = maxAnswerBytes
        }
    }
}
