/// File paths as people write them in a configuration.
enum PathText {
    /// An absolute path: `~/x` is under `home`, anything else relative is under `folder`.
    static func resolve(_ path: String, folder: String, home: String?) throws(InvalidText) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw InvalidText("\(InvalidText.quoted(path)) is not a file path") }
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~") {
            guard path == "~" || path.hasPrefix("~/") else {
                throw InvalidText("\(InvalidText.quoted(path)) names another user's home (write the folder out)")
            }
            guard let home else { throw InvalidText("\(InvalidText.quoted(path)) needs HOME, which is not set") }
            return join(home, String(path.dropFirst(2)))
        }
        return join(folder, path)
    }

    /// `folder/path`, without `./` and doubled slashes where they meet.
    static func join(_ folder: String, _ path: String) -> String {
        var path = Substring(path)
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        guard !path.isEmpty else { return folder }
        return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }

    /// The folder that a file is in: `/` for `/x`, `.` for `x`.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
