import JobModel
import ModelCalls

extension AnthropicTranslation {
    static func textBlock(_ text: String) -> JSONValue { .object([.init("type", "text"), .init("text", .string(text))]) }

    /// A message's content as blocks. What is in Anthropic's form passes unchanged, marks and all.
    /// - Parameter place: where it stands in the request, such as `messages[3]`.
    static func blocks(_ content: JSONValue, _ place: String) throws(ModelFailure) -> [JSONValue] {
        switch content {
        case .string(let text): return [textBlock(text)]
        case .array(let parts):
            var blocks: [JSONValue] = []
            for part in parts { blocks.append(try block(part, place)) }
            return blocks
        default: throw refused("\(place) has content that is \(content.kindName), not a string or a list of parts")
        }
    }

    /// System text as blocks; an empty text, which Anthropic's API refuses, as none.
    static func systemBlocks(_ content: JSONValue, _ place: String) throws(ModelFailure) -> [JSONValue] {
        let blocks = try blocks(content, place)
        guard blocks.allSatisfy({ $0["type"]?.string == "text" && $0["text"]?.string != nil }) else {
            throw refused("\(place) holds more than text, which Anthropic takes from users alone")
        }
        return blocks.filter { $0["text"]?.string != "" }
    }

    private static func block(_ part: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        if case .string(let text) = part { return textBlock(text) }
        guard let type = part["type"]?.string else { throw refused("\(place) has a part of content without a type") }
        switch type {
        case "image_url":
            guard let image = part["image_url"], let url = image.string ?? image["url"]?.string else {
                throw refused("\(place) has an image_url without a url")
            }
            guard image["detail"]?.string != "low" else {
                throw refused("\(place) has an image of low detail, which has no counterpart at Anthropic: send a smaller one")
            }
            return carried(.object([.init("type", "image"), .init("source", try source(url, place))]), part)
        case "file" where part["file"] != nil:
            return carried(try document(part["file"] ?? .null, place), part)
        case "refusal" where part["refusal"]?.string != nil:
            return carried(textBlock(part["refusal"]?.string ?? ""), part)
        case "input_audio": throw refused("\(place) holds audio, which has no counterpart at Anthropic")
        default: return part
        }
    }

    /// A mark stays with the part it was on.
    private static func carried(_ block: JSONValue, _ part: JSONValue) -> JSONValue {
        guard let mark = part["cache_control"], !mark.isNull else { return block }
        return block.marked(mark)
    }

    private static func document(_ file: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        let origin: JSONValue
        if let data = file["file_data"]?.string {
            origin = try source(data, place)
        } else if let id = file["file_id"], id.string != nil {
            origin = .object([.init("type", "file"), .init("file_id", id)])
        } else {
            throw refused("\(place) has a file without file_data or file_id")
        }
        let title = file["filename"].map { [JSONValue.Member("title", $0)] } ?? []
        return .object([.init("type", "document"), .init("source", origin)] + title)
    }

    /// Where an image or document is: in the URL itself (`data:…;base64,…`), or behind it.
    private static func source(_ url: String, _ place: String) throws(ModelFailure) -> JSONValue {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        switch scheme {
        case "http", "https": return .object([.init("type", "url"), .init("url", .string(url))])
        case "data":
            let rest = url.dropFirst("data:".count)
            let comma = rest.firstIndex(of: ",") ?? rest.startIndex
            let head = rest[..<comma].split(separator: ";", omittingEmptySubsequences: false)
            guard let type = head.first, !type.isEmpty, head.last?.lowercased() == "base64", head.count > 1 else {
                throw refused("\(place) has a data URL that is not of the form data:TYPE;base64,DATA")
            }
            let data = rest[comma...].dropFirst()
            return .object([
                .init("type", "base64"), .init("media_type", .string(type.lowercased())), .init("data", .string(String(data))),
            ])
        default: throw refused("\(place) has a URL that is neither http, https nor data")
        }
    }
}
