import AgentQueueModel

/// What the form says with which a client uploads a file, apart from the file.
package struct FileForm: Sendable, Equatable {
    /// What the client calls the file; nil before its part has come.
    package private(set) var filename: String?
    package private(set) var mediaType: String?
    /// `batch` or `user_data`.
    package private(set) var purpose: String?
    /// How long the file is to be kept, in seconds.
    package private(set) var lifetime: Int64?
    private var anchor: String?
    private let flavour: APIFlavour

    /// How long a field may be, and a name, in bytes.
    package static let longestField = 1_024
    private static let purposes = ["batch", "user_data"]
    private static let lifetimes: ClosedRange<Int64> = 3_600...2_592_000

    package init(_ flavour: APIFlavour) { self.flavour = flavour }

    /// Takes the beginning of a part. Returns whether it is the file.
    package mutating func begin(_ part: MultipartPart) throws(RequestError) -> Bool {
        guard part.name == "file" else { return false }
        guard filename == nil else { throw RequestError("The form has two files: upload each with a request of its own.", param: "file") }
        guard let name = part.filename, !name.isEmpty, name.utf8.count <= Self.longestField else {
            throw RequestError("The file needs a filename of at most \(Self.longestField) bytes.", param: "file")
        }
        (filename, mediaType) = (name, part.mediaType)
        return true
    }

    /// Takes the value of a field that is not the file.
    package mutating func set(_ name: String, to bytes: [UInt8]) throws(RequestError) {
        guard let value = String(validating: bytes, as: UTF8.self) else { throw RequestError("\(name) is not UTF-8.", param: name) }
        switch name {
        case "purpose":
            guard Self.purposes.contains(value) else {
                throw RequestError("purpose must be batch or user_data: files for anything else are the provider's affair.", param: name)
            }
            purpose = value
        case "expires_after[anchor]":
            guard value == "created_at" else { throw RequestError("expires_after[anchor] must be created_at.", param: name) }
            anchor = value
        case "expires_after[seconds]":
            guard let seconds = Int64(value), Self.lifetimes.contains(seconds) else {
                throw RequestError("expires_after[seconds] must be a whole number from 3600 to 2592000.", param: name)
            }
            lifetime = seconds
        default: break
        }
    }

    /// Checks that nothing is missing, once the form has ended.
    package mutating func finish() throws(RequestError) {
        guard filename != nil else { throw RequestError("The form has no file: send it as the part named file.", param: "file") }
        if flavour == .anthropic { purpose = purpose ?? "user_data" }
        guard purpose != nil else { throw RequestError("The form has no purpose: send batch or user_data.", param: "purpose") }
        guard (anchor == nil) == (lifetime == nil) else {
            throw RequestError("expires_after needs both an anchor and seconds.", param: "expires_after")
        }
    }
}

/// Which part of a list of files a client asks for.
package struct FileListQuery: Sendable, Equatable {
    package var limit: Int
    package var purpose: String?
    package var isNewestFirst = true
    /// The id that the list goes on from.
    package var after: String?
    /// The id that the list goes back from.
    package var before: String?

    /// Reads the query's members.
    package init(_ query: [(name: String, value: String)], _ flavour: APIFlavour) throws(RequestError) {
        let limits = flavour == .openAI ? 1...10_000 : 1...1_000
        limit = flavour == .openAI ? 1_000 : 20
        for (name, value) in query {
            switch (name, flavour) {
            case ("limit", _):
                guard let number = Int(value), limits.contains(number) else {
                    throw RequestError("limit must be a whole number from 1 to \(limits.upperBound).", param: "limit")
                }
                limit = number
            case ("purpose", .openAI): purpose = value
            case ("order", .openAI):
                guard value == "asc" || value == "desc" else { throw RequestError("order must be asc or desc.", param: "order") }
                isNewestFirst = value == "desc"
            case ("after", .openAI), ("after_id", .anthropic), ("page", .anthropic): after = value
            case ("before_id", .anthropic): before = value
            default: break
            }
        }
    }
}
