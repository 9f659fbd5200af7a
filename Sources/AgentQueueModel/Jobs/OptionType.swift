import FoundationEssentials

/// The value of an option as it was written.
package struct OptionValue: Sendable {
    package let json: JSONValue
    /// The text of a scalar from a pipeline file, where it can be read as a text or as what it looks like; nil in JSON.
    package let text: String?

    package init(_ json: JSONValue, text: String? = nil) {
        self.json = json
        self.text = text
    }
}

/// Why a value does not fit an option. The caller knows where it was written and puts it into a sentence.
package enum OptionFault: Error, Sendable, Equatable {
    /// The value has another type than this.
    case type(OptionTypeName)
    /// An element of a list has another type.
    case element(String, JSONValue)
    /// A number is out of range. The first value is the range as text, such as `1 to 9`.
    case range(String, note: String?, value: String)
    /// A clause that follows the option's name, such as `is too long`.
    case phrase(String)
    /// A complete sentence.
    case sentence(String)
    /// Like ``phrase(_:)``, but about what the job holds rather than how it runs.
    case data(String)

    /// The message for a file of keys and values, where the key precedes it.
    package var inYAML: String {
        switch self {
        case .type(let type): "expected \(type.inYAML)"
        case .element(let wanted, _): "expected a list of \(wanted)"
        case .range(let range, _, let value): "\(value) is out of range (\(range))"
        case .phrase(let text), .sentence(let text), .data(let text): text
        }
    }
}

/// The types of options, as named to users who wrote JSON and to those who wrote a pipeline file.
package enum OptionTypeName: String, Sendable {
    case text, texts, list, object, wholeNumber, number, flag, duration, jobs

    package var inJSON: String {
        switch self {
        case .text: "a string"
        case .texts: "a string or a list of strings"
        case .list, .jobs: "a list"
        case .object: "an object"
        case .wholeNumber: "a whole number"
        case .number: "a number"
        case .flag: "true or false"
        case .duration: "a duration such as \"10m\", or seconds"
        }
    }

    package var inYAML: String {
        switch self {
        case .text, .duration: "a text"
        case .texts: "a text or a list of texts"
        case .object: "keys and values"
        case .list, .jobs, .wholeNumber, .number, .flag: inJSON
        }
    }
}

/// The type of an option's values, with its bounds.
struct OptionType<Value: Equatable & Sendable>: Sendable {
    let read: @Sendable (OptionValue) throws(OptionFault) -> Value
    let write: @Sendable (Value) -> JSONValue
    let check: @Sendable (Value) throws(OptionFault) -> Void

    init(
        read: @escaping @Sendable (OptionValue) throws(OptionFault) -> Value, write: @escaping @Sendable (Value) -> JSONValue,
        check: @escaping @Sendable (Value) throws(OptionFault) -> Void = { (_) throws(OptionFault) in }
    ) {
        self.read = read
        self.write = write
        self.check = check
    }

    /// The same type for an optional value.
    var optional: OptionType<Value?> {
        OptionType<Value?> { [read] (value) throws(OptionFault) in
            try read(value)
        } write: { [write] in
            $0.map(write) ?? .null
        } check: { [check] (value) throws(OptionFault) in
            if let value { try check(value) }
        }
    }

    /// The same type with another check.
    func checked(_ check: @escaping @Sendable (Value) throws(OptionFault) -> Void) -> Self {
        OptionType(read: read, write: write, check: check)
    }
}

extension OptionType where Value == String {
    static let text = OptionType { (value) throws(OptionFault) in
        guard let text = value.text ?? value.json.string else { throw .type(.text) }
        return text
    } write: {
        .string($0)
    }

    /// A name of at least 1 byte.
    static func name(maxBytes: Int) -> Self {
        text.checked { (text) throws(OptionFault) in
            if let fault = OptionText.fault(of: text, maxBytes: maxBytes) { throw .phrase(fault) }
        }
    }

    static let queueName = text.checked { (text) throws(OptionFault) in
        if let fault = OptionText.fault(of: text, maxBytes: JobLimits.maxNameBytes) { throw .phrase(fault) }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }) else {
            throw .phrase("\(InvalidText.quoted(text)) cannot hold blanks, commas or control characters")
        }
    }

    static let memoryKey = text.checked { (text) throws(OptionFault) in
        guard !TextSize.isBlank(text) else { throw .phrase("is empty") }
        guard text.unicodeScalars.count <= MemoryLimits.maxKeyLength,
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            let rule = "at most \(MemoryLimits.maxKeyLength) characters, no control characters"
            throw .phrase("\(InvalidText.quoted(text)) cannot be one (\(rule))")
        }
    }
}

extension OptionType where Value == Int {
    /// - Parameter unit: what is counted, if the option's name does not say it.
    static func integer(_ bounds: ClosedRange<Int>, unit: String? = nil, note: String? = nil) -> Self {
        OptionType { (value) throws(OptionFault) in
            guard let number = value.json.int else { throw .type(.wholeNumber) }
            return number
        } write: {
            .integer(Int64($0))
        } check: { (number) throws(OptionFault) in
            guard !bounds.contains(number) else { return }
            let range = "\(bounds.lowerBound) to \(bounds.upperBound)" + (unit.map { " \($0)" } ?? "")
            throw .range(range, note: note, value: "\(number)")
        }
    }
}

extension OptionType where Value == Double {
    static func number(_ bounds: ClosedRange<Double>) -> Self {
        any.checked { (number) throws(OptionFault) in
            guard number.isFinite, bounds.contains(number) else {
                throw .range("\(Int(bounds.lowerBound)) to \(Int(bounds.upperBound))", note: nil, value: "\(number)")
            }
        }
    }

    /// An amount to spend, in US dollars.
    static let dollars = any.checked { (number) throws(OptionFault) in
        guard number > 0, number <= JobLimits.maxBudget else {
            throw .phrase("must be more than 0 and at most \(Int(JobLimits.maxBudget)) US dollars, not \(number)")
        }
    }

    private static let any = OptionType { (value) throws(OptionFault) in
        guard let number = value.json.number else { throw .type(.number) }
        return number
    } write: {
        .double($0)
    }
}

extension OptionType where Value == Bool {
    static let flag = OptionType { (value) throws(OptionFault) in
        guard let flag = value.json.bool else { throw .type(.flag) }
        return flag
    } write: {
        .bool($0)
    }
}

extension OptionType where Value == JobKind {
    static let kind = OptionType { (value) throws(OptionFault) in
        guard let name = value.text ?? value.json.string else { throw .type(.text) }
        if let kind = JobKind(rawValue: name) { return kind }
        let hint = Suggestion.nearest(to: name, in: JobKind.allCases.map(\.rawValue)).map { "did you mean '\($0)'?" }
        throw .sentence("unknown kind \(InvalidText.quoted(name)) (\(hint ?? "generate, embed or memorize"))")
    } write: {
        .string($0.rawValue)
    }
}

extension OptionType where Value == [String] {
    /// One text or a list of texts.
    static let texts = OptionType { (value) throws(OptionFault) in
        if let text = value.text ?? value.json.string { return [text] }
        return try OptionText.strings(value, else: .texts)
    } write: {
        .array($0.map(JSONValue.string))
    }

    static let tags = OptionType { (value) throws(OptionFault) in
        try OptionText.strings(value, else: .list)
    } write: {
        .array($0.map(JSONValue.string))
    } check: { (tags) throws(OptionFault) in
        guard tags.count <= JobLimits.maxTags else {
            throw .sentence("a job has at most \(JobLimits.maxTags) tags, not \(tags.count)")
        }
        for tag in tags {
            if let fault = OptionText.fault(of: tag, maxBytes: JobLimits.maxNameBytes) { throw .sentence("tag \(fault)") }
        }
    }
}

extension OptionType where Value == [Int64] {
    static let jobs = OptionType { (value) throws(OptionFault) in
        guard let elements = value.json.array else { throw .type(.jobs) }
        var ids: [Int64] = []
        for element in elements {
            guard let id = element.int else { throw .element("job ids", element) }
            ids.append(Int64(id))
        }
        return ids
    } write: {
        .array($0.map(JSONValue.integer))
    } check: { (ids) throws(OptionFault) in
        guard ids.count <= JobLimits.maxDependencies else {
            throw .sentence("a job waits for at most \(JobLimits.maxDependencies) others, not \(ids.count)")
        }
        for id in ids where id < 1 { throw .sentence("after: \(id) is not a job's id") }
    }
}

extension OptionType where Value == [JSONValue] {
    static let list = OptionType { (value) throws(OptionFault) in
        guard let elements = value.json.array else { throw .type(.list) }
        return elements
    } write: {
        .array($0)
    }
}

extension OptionType where Value == JSONValue {
    static let metadata = object.checked { (value) throws(OptionFault) in
        guard value.members != nil else { throw .data("must be an object, not \(value.kindName)") }
        guard !TextSize.holdsNUL(value) else { throw .data("holds a NUL character") }
        guard TextSize.bound(of: value) > JobLimits.maxMetadataBytes else { return }
        guard value.utf8(sorted: false).count <= JobLimits.maxMetadataBytes else {
            throw .data("is longer than \(ByteCountText.format(Int64(JobLimits.maxMetadataBytes))) of JSON")
        }
    }

    /// Whether the object is a valid schema is checked by the code that compiles schemas, which also caches the result.
    static let schema = OptionType { (value) throws(OptionFault) in
        let schema = GivenSchema.unwrapped(value.json)
        guard schema.members != nil else { throw .type(.object) }
        return schema
    } write: {
        $0
    }

    private static let object = OptionType { (value) throws(OptionFault) in
        guard value.json.members != nil else { throw .type(.object) }
        return value.json
    } write: {
        $0
    }
}

extension OptionType where Value == Duration {
    /// The upper bound is how far ahead a job may be scheduled.
    static func duration(from shortest: Duration) -> Self {
        any.checked { (duration) throws(OptionFault) in
            guard duration >= .zero else { throw .phrase("cannot be negative") }
            guard duration >= shortest else { throw .phrase("must be at least \(shortest.milliseconds) ms") }
            let longest = Duration.milliseconds(JobLimits.maxHorizonMilliseconds)
            guard duration <= longest else {
                throw .phrase("\(DurationText.format(duration)) is too long (at most \(DurationText.format(longest)))")
            }
        }
    }

    static func duration(within bounds: ClosedRange<Duration>) -> Self {
        any.checked { (duration) throws(OptionFault) in
            guard !bounds.contains(duration) else { return }
            let range = "\(DurationText.format(bounds.lowerBound)) to \(DurationText.format(bounds.upperBound))"
            throw .phrase("\(DurationText.format(duration)) is out of range (\(range))")
        }
    }

    private static let any = OptionType { (value) throws(OptionFault) in
        try OptionText.duration(value)
    } write: {
        .string(DurationText.format($0))
    }
}

extension OptionType where Value == MemoryOrder.Expiry {
    static let expiry = OptionType { (value) throws(OptionFault) in
        (value.text ?? value.json.string) == "never" ? .never : .after(try OptionText.duration(value))
    } write: {
        switch $0 {
        case .usual: .null
        case .after(let span): .string(DurationText.format(span))
        case .never: "never"
        }
    } check: { (expiry) throws(OptionFault) in
        guard case .after(let span) = expiry else { return }
        guard span > .zero else { throw .phrase("must be more than 0") }
        let longest = Duration.milliseconds(MemoryLimits.maxTimeToLive)
        guard span <= longest else { throw .phrase("is too long (at most \(DurationText.format(longest)), or never)") }
    }
}

extension OptionType where Value == Date {
    /// How far ahead it may be is checked where the clock is known.
    static let time = OptionType { (value) throws(OptionFault) in
        try OptionText.time(value)
    } write: {
        .string(TimeText.format($0.milliseconds))
    }
}

private enum OptionText {
    /// What is wrong with a name, as a clause that follows what it names; nil if nothing is.
    static func fault(of text: String, maxBytes: Int) -> String? {
        if TextSize.isBlank(text) { return "is empty" }
        if text.utf8.count > maxBytes { return "\(InvalidText.quoted(text)) is longer than \(maxBytes) bytes" }
        return TextSize.holdsNUL(text) ? "\(InvalidText.quoted(text)) holds a NUL character" : nil
    }

    static func strings(_ value: OptionValue, else type: OptionTypeName) throws(OptionFault) -> [String] {
        guard let elements = value.json.array else { throw .type(type) }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for element in elements {
            guard let text = element.string else { throw .element("strings", element) }
            texts.append(text)
        }
        return texts
    }

    static func time(_ value: OptionValue) throws(OptionFault) -> Date {
        guard let text = value.text ?? value.json.string else { throw .type(.text) }
        do {
            return Date(milliseconds: try TimeText.parseRFC3339(text))
        } catch {
            throw .phrase(error.message)
        }
    }

    /// A text such as `10m`, or a number of seconds; the result is in whole milliseconds.
    static func duration(_ value: OptionValue) throws(OptionFault) -> Duration {
        if let text = value.text ?? value.json.string {
            do {
                return .milliseconds(try DurationText.parse(text).milliseconds)
            } catch {
                throw .phrase(error.message)
            }
        }
        let seconds: Double
        switch value.json {
        case .integer, .double, .digits: seconds = value.json.number ?? .infinity
        default: throw .type(.duration)
        }
        guard seconds >= 0 else { throw .data("cannot be negative") }
        guard seconds <= Double(JobLimits.maxHorizonMilliseconds / 1_000) else {
            throw .data("is too long (at most \(DurationText.format(.milliseconds(JobLimits.maxHorizonMilliseconds))))")
        }
        return .milliseconds(Int64((seconds * 1_000).rounded()))
    }
}
