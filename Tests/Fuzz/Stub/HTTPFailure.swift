/// As much of the transport's failures as a parser throws: the fuzzer is built without the HTTP client.
enum HTTPFailure: Error {
    case tooLarge(limit: Int)
}
