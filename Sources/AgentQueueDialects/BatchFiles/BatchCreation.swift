import AgentQueueModel

/// What a client of OpenAI's API says to make a batch of a file.
package struct BatchCreation: Sendable, Equatable {
    /// The id of the file with the requests, as the client writes it.
    package var inputFile: String
    package var form: RequestForm
    /// The time it has, as the client writes it, and in milliseconds.
    package var window: String
    package var duration: Int64
    package var metadata: JSONValue?
    /// How long the files of results are kept, in milliseconds; nil if the client does not say.
    package var outputLifetime: Int64?

    private static let windows: ClosedRange<Duration> = .seconds(3_600)...(.seconds(7 * 86_400))
    private static let lifetimes: ClosedRange<Int> = 3_600...2_592_000

    /// - Parameter body: the request's.
    package init(_ body: [UInt8]) throws(RequestError) {
        let asked: JSONValue
        do { asked = try JSONValue.parse(body) } catch { throw RequestError("The body is \(error.description).") }
        guard asked.members != nil else { throw RequestError("The body must be a JSON object, not \(asked.kindName).") }
        inputFile = try Self.text("input_file_id", of: asked)
        form = try Self.form(try Self.text("endpoint", of: asked))
        window = try Self.text("completion_window", of: asked)
        do {
            duration = try DurationText.parse(window, in: Self.windows).milliseconds
        } catch {
            throw RequestError("completion_window must be 24h, or a duration from 1h to 7d.", param: "completion_window")
        }
        metadata = try Self.metadata(of: asked)
        outputLifetime = try Self.lifetime(of: asked)
    }

    private static func text(_ name: String, of asked: JSONValue) throws(RequestError) -> String {
        guard let value = asked.given(name) else { throw RequestError("\(name) is missing.", param: name) }
        guard let text = value.string, !text.isEmpty else {
            throw RequestError("\(name) must be a string that is not empty.", param: name)
        }
        return text
    }

    private static func form(_ path: String) throws(RequestError) -> RequestForm {
        let forms = BatchEndpoint.allCases.compactMap { endpoint in endpoint.form.map { (endpoint.path, $0) } }
        guard let form = forms.first(where: { $0.0 == path })?.1 else {
            throw RequestError("endpoint must be \(forms.map(\.0).joined(separator: ", ")).", param: "endpoint")
        }
        return form
    }

    private static func metadata(of asked: JSONValue) throws(RequestError) -> JSONValue? {
        guard let value = asked.given("metadata") else { return nil }
        let areTexts = value.members?.allSatisfy { member in
            member.key.utf8.count <= 64 && (member.value.string.map { $0.utf8.count <= 512 } ?? false)
        }
        guard areTexts == true, (value.members ?? []).count <= 16 else {
            throw RequestError(
                "metadata must be an object with at most 16 strings of 512 bytes, by names of at most 64.", param: "metadata")
        }
        return value
    }

    private static func lifetime(of asked: JSONValue) throws(RequestError) -> Int64? {
        guard let value = asked.given("output_expires_after") else { return nil }
        guard value["anchor"]?.string == "created_at", let seconds = value["seconds"]?.int, lifetimes.contains(seconds) else {
            throw RequestError(
                "output_expires_after must have the anchor created_at and seconds from 3600 to 2592000.", param: "output_expires_after")
        }
        return Int64(seconds) * 1_000
    }
}
