import JobModel

/// The run that a schedule starts, in the words of the command line.
public struct ScheduledRun: Sendable, Equatable {
    /// A pipeline's or a mode's name.
    public var name: String
    /// An object.
    public var inputs: JSONValue
    /// What holds for all its jobs.
    public var options: RunOptions
    /// Who is to be told of its end: names of notifications of the configuration.
    public var onFinish: [String]

    /// Makes one.
    public init(name: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), onFinish: [String] = []) {
        self.name = name
        self.inputs = inputs
        self.options = options
        self.onFinish = onFinish
    }

    /// As a schedule keeps it.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("inputs", inputs), .init("options", options.json),
        ]
        if !onFinish.isEmpty { members.append(.init("on_finish", .array(onFinish.map(JSONValue.string)))) }
        return .object(members)
    }

    /// Reads what ``json`` wrote; nil where it is something else.
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let inputs = json["inputs"], inputs.members != nil else { return nil }
        self.init(
            name: name, inputs: inputs, options: RunOptions(json["options"] ?? .object([])),
            onFinish: json["on_finish"]?.array?.compactMap(\.string) ?? [])
    }
}
